"""Loops for threads of our own: uvloop's, where it is there."""

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that nobody runs yet."""
    try:
        import uvloop  # noqa: PLC0415 - it is not there on every system
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
