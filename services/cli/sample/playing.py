"""A shop that goes on: front ends that play on over the broker as long as the engine runs."""
