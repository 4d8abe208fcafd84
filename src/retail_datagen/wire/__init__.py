"""Wire: rows become message bytes. Knows tables and stamps, and nothing of where messages go."""
