"""Tests of the archivist in a process of its own."""
