"""gs:// through Google's own client: writes conditional on generations, checks of what arrived."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import google.auth
import google_crc32c
import requests
from google.api_core import exceptions as api
from google.api_core.client_options import ClientOptions
from google.auth import exceptions as auth
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.adapters import HTTPAdapter

from retail_datagen.core.files import publish, staged_file
from retail_datagen.objects.base import Content, Found, StoreError, checked
from retail_datagen.objects.digests import read_through
from retail_datagen.objects.failures import (
    AGAIN,
    Damaged,
    changed,
    failure,
    os_failure,
    unreadable,
)
from retail_datagen.objects.retry import Backoff, retried

_T = TypeVar("_T")
# Names in the bucket, and the objects of these names.
_Page: TypeAlias = list[tuple[str, Found]]
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_SIGN_IN = (
    "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a "
    "key file"
)
_CONNECTIONS = 32
_LISTED_AT_ONCE = 1_000
_FIELDS = "items(name,size,generation),nextPageToken"
_TRANSIENT_STATUS = (408, 425, 429)
_ERRORS = (
    api.GoogleAPICallError,
    api.RetryError,
    auth.GoogleAuthError,
    requests.RequestException,
    InvalidResponse,
    DataCorruption,
    Damaged,
    OSError,
)


def open_gcs(bucket: str, prefix: str, endpoint: str | None, backoff: Backoff) -> GcsStore:
    """A bucket below a prefix, with application-default credentials.

    `endpoint`, or else STORAGE_EMULATOR_HOST, is another server's: it is asked without credentials
    unless it is Google's own. Raises StoreError where no credentials are found.
    """
    url = f"gs://{bucket}/{prefix}".rstrip("/")
    endpoint = endpoint or _emulator()
    own = endpoint is None or endpoint.endswith(".googleapis.com")
    try:
        credentials = google.auth.default([_SCOPE])[0] if own else AnonymousCredentials()
    except (auth.GoogleAuthError, OSError) as error:
        raise failure("open", url, str(error), _SIGN_IN) from None
    session = AuthorizedSession(credentials)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    client = storage.Client(
        project=None,
        credentials=credentials,
        _http=session,
        client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
    )
    return GcsStore(url, client, bucket, prefix, backoff)


class GcsStore:
    """See ObjectStore. Versions are generations. One file goes in one piece, several at once."""

    def __init__(
        self, url: str, client: storage.Client, bucket: str, prefix: str, backoff: Backoff
    ) -> None:
        """`prefix` has no slash at its ends."""
        self._url = url
        self._client = client
        self._bucket = client.bucket(bucket)
        self._prefix = f"{prefix}/" if prefix else ""
        self._backoff = backoff

    @property
    def url(self) -> str:
        return self._url

    def upload(self, source: Path, key: str, sha256: str) -> None:
        self._blob(key)
        whole, md5, crc = hashlib.sha256(), hashlib.md5(usedforsecurity=False), _crc32c()
        try:
            size = read_through(source, [whole, md5, crc])
        except OSError as error:
            raise unreadable(source, error) from None
        if whole.hexdigest() != sha256:
            raise changed(source)

        def send() -> None:
            blob = self._blob(key)
            blob.metadata = {"sha256": sha256}
            blob.upload_from_filename(
                str(source), timeout=self._backoff.timeout, retry=None, checksum="crc32c"
            )
            if blob.size != size:
                raise Damaged(f"{blob.size} of {size} bytes arrived")
            # Composed objects have no MD5; CRC32C is always there.
            for said, sent in ((blob.md5_hash, md5.digest()), (blob.crc32c, crc.digest())):
                if said is not None and base64.b64decode(said) != sent:
                    raise Damaged("the checksum of what arrived is not that of what was sent")

        self._tried("upload", key, send)

    def put(self, key: str, data: bytes) -> None:
        self._tried("write", key, lambda: self._write(key, data, None, None))

    def create(self, key: str, data: bytes) -> bool:
        writer = uuid.uuid4().hex
        return self._tried("create", key, lambda: self._write(key, data, 0, writer))

    def swap(self, key: str, data: bytes, version: str) -> bool:
        if not version.isdecimal() or int(version) == 0:
            return False
        writer = uuid.uuid4().hex
        return self._tried("replace", key, lambda: self._write(key, data, int(version), writer))

    def get(self, key: str) -> Content | None:
        def read() -> Content | None:
            blob = self._blob(key)
            try:
                data = blob.download_as_bytes(timeout=self._backoff.timeout, retry=None)
            except api.NotFound as error:
                _check_bucket(error)
                return None
            return Content(data, str(blob.generation))

        return self._tried("read", key, read)

    def download(self, key: str, target: Path) -> None:
        def fetch() -> None:
            blob = self._blob(key)
            with staged_file(target) as file:
                blob.download_to_file(file, timeout=self._backoff.timeout, retry=None)
            publish([target], durable=False)

        self._tried("read", key, fetch)

    def find(self, key: str) -> Found | None:
        def look() -> Found | None:
            blob = self._blob(key)
            try:
                blob.reload(timeout=self._backoff.timeout, retry=None)
            except api.NotFound as error:
                _check_bucket(error)
                return None
            return Found(key, int(blob.size or 0), str(blob.generation))

        return self._tried("find", key, look)

    def list(self, folder: str = "") -> Iterator[Found]:
        folder = folder.strip("/")
        prefix = self._prefix + (f"{checked(folder)}/" if folder else "")
        last: str | None = None
        while True:
            page = self._tried("list", folder, partial(self._page, prefix, last))
            for name, found in page:
                # Names that end so are what consoles make for empty folders.
                if not name.endswith("/"):
                    yield found
            if not page:
                return
            last = page[-1][0]

    def delete(self, key: str) -> None:
        def remove() -> None:
            try:
                self._blob(key).delete(timeout=self._backoff.timeout, retry=None)
            except api.NotFound as error:
                _check_bucket(error)

        self._tried("delete", key, remove)

    def flush(self) -> None:
        """What a cloud has confirmed is durable."""

    def close(self) -> None:
        self._client.close()

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(self._prefix + checked(key))

    def _page(self, prefix: str, after: str | None) -> _Page:
        """What comes after a name in the bucket."""
        blobs = self._bucket.list_blobs(
            prefix=prefix or None,
            # It begins with that name itself.
            start_offset=after,
            page_size=_LISTED_AT_ONCE,
            max_results=_LISTED_AT_ONCE,
            fields=_FIELDS,
            timeout=self._backoff.timeout,
            retry=None,
        )
        return [
            (
                blob.name,
                Found(
                    blob.name.removeprefix(self._prefix), int(blob.size or 0), str(blob.generation)
                ),
            )
            for blob in blobs
            if blob.name != after
        ]

    def _write(self, key: str, data: bytes, generation: int | None, writer: str | None) -> bool:
        """Whether it is written, if the object has that generation; 0 for none at all."""
        blob = self._blob(key)
        if writer is not None:
            blob.metadata = {"writer": writer}
        try:
            blob.upload_from_string(
                data,
                content_type="application/octet-stream",
                if_generation_match=generation,
                timeout=self._backoff.timeout,
                retry=None,
                checksum="crc32c",
            )
        except api.PreconditionFailed:
            return writer is not None and self._was_written_by(key, writer)
        except api.NotFound as error:
            if not generation:
                raise
            _check_bucket(error)
            return False
        return True

    def _was_written_by(self, key: str, writer: str) -> bool:
        """Whether an object is there because of us: the answer to an earlier try may be lost."""
        blob = self._blob(key)
        try:
            blob.reload(timeout=self._backoff.timeout, retry=None)
        except api.NotFound as error:
            _check_bucket(error)
            return False
        return bool((blob.metadata or {}).get("writer") == writer)

    def _tried(self, doing: str, key: str, call: Callable[[], _T]) -> _T:
        try:
            return retried(call, _is_transient, self._backoff)
        except _ERRORS as error:
            raise _failure(doing, f"{self._url}/{key}".rstrip("/"), error) from None


def _crc32c() -> Any:
    return google_crc32c.Checksum()


def _emulator() -> str | None:
    host = os.environ.get("STORAGE_EMULATOR_HOST", "").strip().rstrip("/")
    if not host:
        return None
    return host if "://" in host else f"http://{host}"


def _check_bucket(error: api.NotFound) -> None:
    """Raise it again where the bucket is missing, rather than an object in it."""
    if "bucket does not exist" in str(error):
        raise error


def _is_transient(error: Exception) -> bool:
    status = _status(error)
    if status:
        return status >= 500 or status in _TRANSIENT_STATUS
    if isinstance(error, auth.GoogleAuthError):
        return isinstance(error, auth.TransportError)
    if isinstance(error, requests.RequestException):
        return not isinstance(error, requests.exceptions.InvalidURL)
    return isinstance(error, Damaged | DataCorruption | ConnectionError | TimeoutError)


def _status(error: Exception) -> int:
    if isinstance(error, api.GoogleAPICallError):
        return int(error.code or 0)
    if isinstance(error, InvalidResponse):
        return int(getattr(error.response, "status_code", 0))
    return 0


def _failure(doing: str, where: str, error: Exception) -> StoreError:
    if isinstance(error, OSError) and error.errno is not None:
        return os_failure(doing, where, error)
    said, status = str(error), _status(error)
    if isinstance(error, api.GoogleAPICallError):
        said = f"{error.code}: {error.message}" if error.code else str(error.message)
    if status == 401 or isinstance(error, auth.GoogleAuthError):
        return failure(doing, where, said, _SIGN_IN)
    if status == 403:
        return failure(
            doing, where, said, 'the credentials need the role "Storage Object User" there'
        )
    if status == 404:
        return failure(doing, where, said, "create the bucket first, or check the names")
    return failure(doing, where, said, f"check the network and the endpoint; {AGAIN}")
