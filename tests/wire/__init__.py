"""Tests of what crosses the wire, above all of what should not get across."""
