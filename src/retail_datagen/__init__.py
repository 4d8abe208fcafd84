"""One seed, one coherent synthetic retailer."""
