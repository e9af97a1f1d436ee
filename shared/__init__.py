"""Everything the services stand on: the pure core, the wire, the ports and their adapters."""
