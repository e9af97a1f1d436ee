"""Real servers for tests and benchmarks: started here, stopped by pid, gone without a trace."""
