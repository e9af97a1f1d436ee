"""Tests of several parts together, with real servers where the product has real servers."""
