"""How fast it is: measured against a floor that does the same work without deciding anything."""
