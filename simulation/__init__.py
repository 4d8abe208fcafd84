"""The store's scripts under the names that others call: thin wrappers of `retail-datagen`."""
