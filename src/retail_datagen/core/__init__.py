"""Helpers without a domain: arrays, order, groups, randomness, ids, calendar, files, memory.

Every room but config may enter; it imports config alone.
"""
