"""The web shop: carts, orders and returns of the same retailer, in the columns of e-commerce."""
