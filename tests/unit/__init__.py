"""Single modules outside the core, tried without a server."""
