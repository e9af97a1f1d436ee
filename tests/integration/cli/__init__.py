"""The verbs that ask about the past, as an ops team types them."""
