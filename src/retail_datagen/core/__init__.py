"""Helpers without a domain: randomness, identifiers, calendar, files, packing.

Every room but config may enter; it imports config alone.
"""
