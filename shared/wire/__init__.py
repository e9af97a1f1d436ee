"""Bytes from and to messages: subjects, requests, replies and the events of the log."""
