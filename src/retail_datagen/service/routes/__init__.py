"""The service's routes, a module for each part of the store. They are thin."""
