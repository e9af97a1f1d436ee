"""Questions about the past: of logs that stories left behind, and of spoilt ones."""
