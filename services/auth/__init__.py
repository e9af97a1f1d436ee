"""The broker's question who somebody is, answered: from a session token to permissions."""
