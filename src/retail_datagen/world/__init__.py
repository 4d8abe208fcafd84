"""Master data: built as CSV, read back and checked into columns.

Behaviour and all above it may enter; it knows no day and no demand.
"""
