"""Where instances are kept: one write verb whose argument is data, and the reads beside it."""
