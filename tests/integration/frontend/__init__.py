"""A front end as somebody writes it who has read docs/wire.md and nothing else, and its tests."""
