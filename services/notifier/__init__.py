"""Tells people and programs what happened: feeds, e-mails, webhooks."""
