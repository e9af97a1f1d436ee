"""Page views and the rules on them: what visitors look at, and what the router is told of it."""
