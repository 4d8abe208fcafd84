"""Messiness: what real data has wrong, put into clean tables on purpose, with a record of it."""

from retail_datagen.quality.mess.levels import LEVELS, Mess, messy_table
from retail_datagen.quality.mess.spoil import Spoiled, spoil
from retail_datagen.quality.mess.truth import truth_table

__all__ = ["LEVELS", "Mess", "Spoiled", "messy_table", "spoil", "truth_table"]
