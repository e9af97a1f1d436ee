"""A shop that does not exist, with a day of traffic behind it and people who play on.

``generating`` makes the day: a play with chance in it, seeded, through the real core, so that its
log is what a router would have written. ``storing`` puts it where a router finds it. ``playing``
goes on from there over the broker, as front ends do.
"""
