"""The core, pure: commands and facts in, decisions out. It never awaits, logs or reads a clock."""
