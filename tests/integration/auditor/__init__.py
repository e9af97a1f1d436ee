"""The auditor as a process of its own, asked over a real broker."""
