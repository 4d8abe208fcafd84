"""The web shop: carts, orders and returns of the same retailer, in the columns of e-commerce.

Its orders are the retailer's online orders, to the unit and the cent; what is added here is how
customers came to them (carts), who they were to the shop (tiers), and what they sent back.
"""
