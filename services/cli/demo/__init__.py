"""``fernamt demo``: an engine in a process of its own, and five stories played over its wire."""
