"""``fernamt demo``: an engine in a process of its own, and three stories played over its wire."""
