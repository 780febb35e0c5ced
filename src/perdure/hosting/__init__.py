"""The engine as an application holds it: opened on a file, with workers and doors of its own."""
