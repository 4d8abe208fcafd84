"""Object stores: buckets and folders behind one protocol. Knows bytes and keys, not tables."""
