"""The processes of Fernamt. A service imports from ``shared`` and never from another service."""
