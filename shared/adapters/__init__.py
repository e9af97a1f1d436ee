"""The outside world behind the protocols of ``shared.ports``: databases, the bus, clocks."""
