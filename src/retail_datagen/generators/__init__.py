"""The published object API: thin classes over the columns, and rows where it asks for rows.

Only users and the command line enter; nothing below may import it.
"""
