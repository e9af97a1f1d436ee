"""Nothing that somebody wrote, nor any secret, gets into logs, metrics or spans."""
