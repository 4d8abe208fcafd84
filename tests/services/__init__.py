"""Real servers for tests, and faults between them and us. Needs tests/ on the path."""
