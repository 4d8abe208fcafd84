"""Servers for the contracts of object stores and sinks."""

from services.gcs_server import gcs_server, gcs_url
from services.kafka_broker import kafka, kafka_prefix
from services.moto_server import moto_server, s3_url
from services.postgres import postgres_server, postgres_url

__all__ = [
    "gcs_server",
    "gcs_url",
    "kafka",
    "kafka_prefix",
    "moto_server",
    "postgres_server",
    "postgres_url",
    "s3_url",
]
