"""The parts of the notifier that need no server."""
