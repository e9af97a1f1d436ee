"""Questions about the past, answered over the bus: ``shared.audit`` as a service."""
