"""Checks of a history on its files alone, in DuckDB.

The command line and users enter; it must not import sinks nor engine, whose work it judges.
"""
