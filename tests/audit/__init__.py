"""Questions about the past: verified logs, and what is found in spoilt ones."""
