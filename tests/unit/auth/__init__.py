"""Session tokens, the keys they are signed with, and what they are worth."""
