"""The presence service as a process, over a real broker."""
