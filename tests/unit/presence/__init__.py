"""The pure parts of the presence service."""
