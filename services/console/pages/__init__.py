"""The pages, one module for each: what is asked for it, and what its template gets."""
