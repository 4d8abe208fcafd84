"""Demand against stock, replenishment and the day plan: the only state that days share.

Tables and the engine read its plans; it draws by behaviour and never makes a row of a table.
"""
