"""Room of the live simulation: shoppers, staff and readers in one store. Pure but for `live`.

Time is the simulated clock's, in milliseconds since 1970 of the store's local wall clock; places
are centimetres on the floor plan; money is cents. Everything is a function of the seed, the stock
it opens with and the clock's first instant: no real time, no global generator, no order of sets.
`books.py` says what the simulation asks of the store's books; `store.live` is what runs it for
people: in a thread, at their speed, under the store's lease.
"""

from retail_datagen.store.simulation.events import Event, Listener
from retail_datagen.store.simulation.run import Simulation
from retail_datagen.store.simulation.settings import MODES, Mode, Settings

__all__ = ["MODES", "Event", "Listener", "Mode", "Settings", "Simulation"]
