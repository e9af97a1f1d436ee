"""Traces of real services, as a real collector gets them."""
