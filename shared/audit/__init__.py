"""Questions about the past, as pure functions over a log reader: who got what, and why."""
