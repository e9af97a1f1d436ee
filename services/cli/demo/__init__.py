"""``fernamt demo``: an engine in a process of its own, and seven stories played over its wire."""
