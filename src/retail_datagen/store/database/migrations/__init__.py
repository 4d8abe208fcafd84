"""How the store's tables became what they are; run by `migrate`, never imported."""
