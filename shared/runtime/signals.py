"""How a process learns that it is to end: SIGTERM and SIGINT set an event, once."""

import asyncio
import signal


def stop_requested() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; a second one ends the process as usual."""
    loop = asyncio.get_running_loop()
    requested = asyncio.Event()

    def request() -> None:
        requested.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, request)
    return requested
