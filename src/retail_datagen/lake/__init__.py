"""The lake: years of daily partitions in an object store, made, checked and repaired."""
