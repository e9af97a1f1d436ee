"""The presence service: heartbeats, idleness and hours, from which it reports to the router."""
