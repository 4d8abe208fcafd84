"""Row records of master data and facts, for those who want objects instead of columns.

The published object API hands them out; no column is made of them.
"""
