"""A broker with the shipped accounts: who gets in, who may say and hear what, and who may not."""
