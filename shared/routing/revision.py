"""The revision of the rules that decide."""

REVISION = 1
"""Raised whenever some decision could come out differently from the same state."""
