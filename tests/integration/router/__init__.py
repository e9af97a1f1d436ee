"""The router over a real broker and real stores, from outside."""
