"""``fernamt demo``."""


def demo() -> None:
    """Play."""
