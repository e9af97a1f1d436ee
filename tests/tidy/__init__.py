"""The house rules as tests: what the code may import, how files are shaped, what is committed."""
