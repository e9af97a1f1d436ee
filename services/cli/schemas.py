"""``fernamt schemas``."""


def schemas() -> None:
    """Write."""
