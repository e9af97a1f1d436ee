"""The sample shop: what its generated day holds."""
