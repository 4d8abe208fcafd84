"""The store's database: its tables, how it is opened and brought up to date, bulk loads.

Only the ledger writes what happens to items; everybody else reads. Rooms above name engine and
connection by what stands here, and know nothing of the library behind them.
"""

from sqlalchemy import Connection as Connection
from sqlalchemy import Engine as Engine

from retail_datagen.store.database.engine import noting as noting
from retail_datagen.store.database.engine import open_database as open_database
from retail_datagen.store.database.engine import refuse_in_memory as refuse_in_memory
from retail_datagen.store.database.engine import shown_form as shown_form
from retail_datagen.store.database.engine import shown_url as shown_url
from retail_datagen.store.database.engine import writing as writing
