"""The RFID store: templates, tagged items, their ledger and its database, shoppers, analytics.

Enters whoever needs a store of single items: the command line, the service. SQLAlchemy, Alembic and
psycopg are imported here and nowhere else; they come with the extra `store`.
"""
