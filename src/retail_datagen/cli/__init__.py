"""The command line: one module per command group, and no logic.

Nobody imports it; it may call every room below.
"""
