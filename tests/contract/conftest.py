"""Servers for the contract of object stores."""

from services.gcs_server import gcs_server, gcs_url
from services.moto_server import moto_server, s3_url

__all__ = ["gcs_server", "gcs_url", "moto_server", "s3_url"]
