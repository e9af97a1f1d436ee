"""The notifier against real servers."""
