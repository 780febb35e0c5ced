"""The ground floor: identifiers, time, errors, limits and the observer every room may report to."""
