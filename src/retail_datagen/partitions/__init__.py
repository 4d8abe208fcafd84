"""Hive partitions: how they are laid out, cut into files and described. Knows no store, no job."""
