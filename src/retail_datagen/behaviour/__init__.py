"""Who buys what, and when: seasons, journeys, baskets, prices, online orders, marketing.

Plan and tables draw from here; it sees the world and knows nothing of stock or files.
"""
