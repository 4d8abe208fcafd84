"""From a URL to its store. The one place that knows all kinds of stores."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from retail_datagen.config.errors import UserError
from retail_datagen.objects.base import ObjectStore
from retail_datagen.objects.local import LocalStore
from retail_datagen.objects.retry import Backoff

ALLOWED = "gs://bucket/prefix, s3://bucket/prefix, az://container/prefix, or a path"
_CLOUDS = ("gs", "s3", "az")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ENDPOINT = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")


def open_store(url: str, endpoint_url: str | None = None) -> ObjectStore:
    """The store at a URL: gs://, s3:// or az:// with bucket and prefix, or a path or file: URL.

    `endpoint_url` (http or https) is that of a server which speaks the cloud's language. Nothing
    is asked of the store yet. Raises UserError for a URL that is none of these, for a library that
    is not installed and for credentials that are not there.
    """
    found = _URL.fullmatch(url)
    scheme = found[1].lower() if found else ""
    if scheme in _CLOUDS and found:
        bucket, prefix = _bucket_and_prefix(scheme, found[2])
        return _open_cloud(scheme, bucket, prefix, _checked_endpoint(endpoint_url))
    if endpoint_url:
        raise UserError(
            f"an endpoint URL belongs to gs://, s3:// and az://, not to {_shown(url)}; leave it out"
        )
    return LocalStore(_folder(url, scheme))


def _open_cloud(scheme: str, bucket: str, prefix: str, endpoint: str | None) -> ObjectStore:
    backoff = Backoff.from_environment()
    with _extra(scheme):
        if scheme == "gs":
            from retail_datagen.objects.gcs import open_gcs

            return open_gcs(bucket, prefix, endpoint, backoff)
        if scheme == "s3":
            from retail_datagen.objects.s3 import open_s3

            return open_s3(bucket, prefix, endpoint, backoff)
        from retail_datagen.objects.azure import open_azure

        return open_azure(bucket, prefix, endpoint, backoff)


@contextmanager
def _extra(scheme: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(
            f"{scheme}:// needs {error.name}, which is not installed: "
            "pip install 'retail-datagen[cloud]'"
        ) from None


def _bucket_and_prefix(scheme: str, rest: str) -> tuple[str, str]:
    # What is after ? or @ may be a secret: such URLs are not repeated.
    if "?" in rest or "#" in rest or "@" in rest:
        raise UserError(
            f"a {scheme}:// URL holds neither credentials nor ? or #; write {ALLOWED}, and give "
            "credentials by the environment"
        )
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        problem = f"{bucket!r} cannot be a bucket's name" if bucket else "it names no bucket"
        raise UserError(f"{scheme}://{rest}: {problem}; write {ALLOWED}")
    parts = prefix.rstrip("/").split("/") if prefix.rstrip("/") else []
    if any(part in ("", ".", "..") for part in parts) or not prefix.isprintable():
        raise UserError(
            f"{scheme}://{rest}: {prefix!r} cannot be a prefix: it needs printable parts between "
            "single slashes"
        )
    return bucket, "/".join(parts)


def _checked_endpoint(endpoint: str | None) -> str | None:
    if not endpoint:
        return None
    if not _ENDPOINT.fullmatch(endpoint):
        raise UserError(
            f"the endpoint URL {_shown(endpoint)} must be http:// or https:// with a host and a "
            "port, without credentials, such as http://localhost:9000"
        )
    return endpoint.rstrip("/")


def _folder(url: str, scheme: str) -> Path:
    if scheme == "file" or url.lower().startswith("file:"):
        rest = url[len("file:") :]
        if rest.startswith("//"):
            host, slash, path = rest[2:].partition("/")
            if host not in ("", "localhost"):
                raise UserError(f"{url}: {host} is another host; write file:///path, or a path")
            rest = slash + path
        path = unquote(rest)
    elif scheme or url.startswith(tuple(f"{cloud}:" for cloud in _CLOUDS)):
        raise UserError(f"{_shown(url)} is not a kind of store that is known; write {ALLOWED}")
    else:
        path = url
    if not path.strip() or "\0" in path:
        raise UserError(f"{url!r} names no folder; write {ALLOWED}")
    return Path(path).expanduser()


def _shown(url: str) -> str:
    """A URL without what may be a secret in it."""
    return re.sub(r"//[^/]*@", "//", url).partition("?")[0]
