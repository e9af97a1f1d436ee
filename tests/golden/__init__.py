"""Recorded logs: what was decided once is decided again, byte for byte, in every release."""
