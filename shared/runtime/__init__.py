"""What each process needs once: settings, logs, metrics, tracing, health, running and draining."""
