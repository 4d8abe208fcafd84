"""Object stores: buckets and folders behind one protocol. Knows bytes and keys, not tables."""

from retail_datagen.objects.base import Content, Found, ObjectStore, StoreError
from retail_datagen.objects.registry import open_store

__all__ = ["Content", "Found", "ObjectStore", "StoreError", "open_store"]
