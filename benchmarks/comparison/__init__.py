"""Every tool on every network of the families, and the report of it."""
