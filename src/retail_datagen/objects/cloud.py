"""S3 and Azure through obstore: parallel parts, conditional writes, checks of what arrived."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import AzureStore, S3Store

from retail_datagen.core.files import HashingFile, Nowhere, publish, staged_file
from retail_datagen.objects.base import Content, Found, StoreError, checked
from retail_datagen.objects.digests import PartedMd5, read_through
from retail_datagen.objects.failures import (
    AGAIN,
    Damaged,
    changed,
    failure,
    os_failure,
    unreadable,
)
from retail_datagen.objects.retry import Backoff, retried

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_T = TypeVar("_T")
_Page: TypeAlias = list[Found]
PART_BYTES = 8 << 20
# So many parts of one file are in memory at once; a job uploads several files at once.
_PARTS_AT_ONCE = 4
_MOST_PARTS = 9_000
_LISTED_AT_ONCE = 1_000
# Besides its own, obstore raises FileNotFoundError and ValueError.
_ERRORS = (BaseError, Damaged, OSError, ValueError)
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]*)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")
_TRANSIENT_STATUS = (408, 409, 425, 429)
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted")
_NO_CREDENTIALS = (
    "/latest/api/token",
    "169.254.",
    "credential provider",
    "metadata/identity",
    "metadata/instance",
)


@dataclass(frozen=True, slots=True)
class Cloud:
    """What differs between clouds. The advice ends messages: what to do about it."""

    etag_is_md5: bool
    lists_in_order: bool
    sign_in: str
    permissions: str
    bucket: str
    moved: str


def client_options(endpoint: str | None, backoff: Backoff) -> ClientConfig:
    """Time-outs; plain http only where an endpoint is given so."""
    return {
        "timeout": timedelta(seconds=backoff.timeout),
        "connect_timeout": timedelta(seconds=min(10.0, backoff.timeout)),
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
    }


def own_retries(backoff: Backoff) -> RetryConfig:
    """What obstore tries again by itself: single parts and pages, a few times, soon."""
    base = timedelta(seconds=max(0.001, min(backoff.base, 1.0) / 5))
    return {
        "max_retries": min(2, backoff.attempts - 1),
        "backoff": {"init_backoff": base, "max_backoff": timedelta(seconds=backoff.cap), "base": 2},
        "retry_timeout": timedelta(seconds=backoff.limit),
    }


class CloudStore:
    """See ObjectStore. Versions are ETags."""

    def __init__(
        self, url: str, client: S3Store | AzureStore, prefix: str, cloud: Cloud, backoff: Backoff
    ) -> None:
        """`client` is that of the whole bucket; `prefix` has no slash at its ends."""
        self._url = url
        self._client = client
        self._prefix = f"{prefix}/" if prefix else ""
        self._cloud = cloud
        self._backoff = backoff

    @property
    def url(self) -> str:
        return self._url

    def upload(self, source: Path, key: str, sha256: str) -> None:
        path = self._path(key)
        try:
            size = source.stat().st_size
            part = _part_bytes(size)
            parts, whole = PartedMd5(part), hashlib.sha256()
            size = read_through(source, [parts, whole])
        except OSError as error:
            raise unreadable(source, error) from None
        if whole.hexdigest() != sha256:
            raise changed(source)
        etag = parts.etag()

        def send() -> None:
            obstore.put(
                self._client,
                path,
                source,
                attributes={"sha256": sha256},
                use_multipart=size > part,
                chunk_size=part,
                max_concurrency=_PARTS_AT_ONCE,
            )
            self._verify(path, size, etag, sha256)

        self._tried("upload", key, send)

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        self._tried("write", key, lambda: obstore.put(self._client, path, data))

    def create(self, key: str, data: bytes) -> bool:
        path, writer = self._path(key), uuid.uuid4().hex

        def make() -> bool:
            try:
                obstore.put(self._client, path, data, mode="create", attributes={"writer": writer})
            except (AlreadyExistsError, PreconditionError):
                return self._was_written_by(path, writer)
            return True

        return self._tried("create", key, make)

    def swap(self, key: str, data: bytes, version: str) -> bool:
        path, writer = self._path(key), uuid.uuid4().hex

        def replace() -> bool:
            try:
                obstore.put(
                    self._client,
                    path,
                    data,
                    mode={"e_tag": version},
                    attributes={"writer": writer},
                )
            except FileNotFoundError as error:
                _check_bucket(error)
                return False
            except PreconditionError:
                return self._was_written_by(path, writer)
            return True

        return self._tried("replace", key, replace)

    def get(self, key: str) -> Content | None:
        path = self._path(key)

        def read() -> Content | None:
            try:
                result = obstore.get(self._client, path)
                data = bytes(result.bytes())
            except FileNotFoundError as error:
                _check_bucket(error)
                return None
            if len(data) != result.meta["size"]:
                raise Damaged(f"{len(data)} of {result.meta['size']} bytes came")
            return Content(data, result.meta["e_tag"] or "")

        return self._tried("read", key, read)

    def download(self, key: str, target: Path) -> None:
        path = self._path(key)

        def fetch() -> None:
            with staged_file(target) as file:
                self._stream(path, file)
            publish([target], durable=False)

        self._tried("read", key, fetch)

    def find(self, key: str) -> Found | None:
        path = self._path(key)

        def look() -> Found | None:
            try:
                meta = obstore.head(self._client, path)
            except FileNotFoundError as error:
                _check_bucket(error)
                return None
            return Found(key, meta["size"], meta["e_tag"] or "")

        return self._tried("find", key, look)

    def list(self, folder: str = "") -> Iterator[Found]:
        folder = folder.strip("/")
        prefix = self._prefix + (f"{checked(folder)}/" if folder else "")
        if not self._cloud.lists_in_order:
            everything = self._tried("list", folder, lambda: self._page(prefix, None, None))
            yield from sorted(everything, key=lambda found: found.key)
            return
        last: str | None = None
        while True:
            page = self._tried("list", folder, partial(self._page, prefix, last, _LISTED_AT_ONCE))
            if not page:
                return
            yield from page
            last = self._prefix + page[-1].key

    def delete(self, key: str) -> None:
        path = self._path(key)

        def remove() -> None:
            try:
                obstore.delete(self._client, path)
            except FileNotFoundError as error:
                _check_bucket(error)

        self._tried("delete", key, remove)

    def flush(self) -> None:
        """What a cloud has confirmed is durable."""

    def close(self) -> None:
        """obstore ends its connections by itself."""

    def _path(self, key: str) -> str:
        return self._prefix + checked(key)

    def _page(self, prefix: str, after: str | None, most: int | None) -> _Page:
        """Objects after a path, in the order in which the cloud lists them."""
        found: _Page = []
        stream = obstore.list(
            self._client, prefix or None, offset=after, chunk_size=most or _LISTED_AT_ONCE
        )
        for chunk in stream:
            for meta in chunk:
                key = meta["path"].removeprefix(self._prefix)
                found.append(Found(key, meta["size"], meta["e_tag"] or ""))
            if most is not None and len(found) >= most:
                break
        return found

    def _was_written_by(self, path: str, writer: str) -> bool:
        """Whether an object is there because of us: the answer to an earlier try may be lost."""
        try:
            return obstore.get(self._client, path).attributes.get("writer") == writer
        except FileNotFoundError as error:
            _check_bucket(error)
            return False

    def _verify(self, path: str, size: int, etag: str, sha256: str) -> None:
        """Raise Damaged unless the store holds what was sent: by ETag, or else read back."""
        meta = obstore.head(self._client, path)
        if meta["size"] != size:
            raise Damaged(f"{meta['size']} of {size} bytes arrived")
        if self._cloud.etag_is_md5 and (meta["e_tag"] or "").strip('"') == etag:
            return
        back = HashingFile(Nowhere())
        self._stream(path, back)
        if back.sha256 != sha256:
            raise Damaged(f"the sha256 of what arrived is {back.sha256}, of what was sent {sha256}")

    def _stream(self, path: str, file: HashingFile) -> None:
        result = obstore.get(self._client, path)
        for block in result.stream(min_chunk_size=1 << 20):
            file.write(bytes(block))
        if file.bytes != result.meta["size"]:
            raise Damaged(f"{file.bytes} of {result.meta['size']} bytes came")
        sha256 = result.attributes.get("sha256")
        if sha256 is not None and file.sha256 != sha256:
            raise Damaged(f"the sha256 of what came is {file.sha256}, of what was sent {sha256}")

    def _tried(self, doing: str, key: str, call: Callable[[], _T]) -> _T:
        try:
            return retried(call, _is_transient, self._backoff)
        except _ERRORS as error:
            raise self._failure(doing, f"{self._url}/{key}".rstrip("/"), error) from None

    def _failure(self, doing: str, where: str, error: Exception) -> StoreError:
        if isinstance(error, OSError) and error.errno is not None:
            return os_failure(doing, where, error)
        text = str(error)
        status, code = _status(text), _code(text)
        said = f"{code or status}: {message[1]}" if (message := _MESSAGE.search(text)) else text
        said = said.partition("\n\nDebug source")[0]
        if any(sign in text for sign in _NO_CREDENTIALS):
            return failure(doing, where, "no credentials were found", self._cloud.sign_in)
        if code in _NO_BUCKET:
            return failure(doing, where, said, self._cloud.bucket)
        if status in (301, 307) or (status == 400 and "egion" in text):
            return failure(doing, where, said, self._cloud.moved)
        if status == 401 or "AccessKeyId" in code or "Token" in code or "Signature" in code:
            return failure(doing, where, said, self._cloud.sign_in)
        if status == 403:
            return failure(doing, where, said, self._cloud.permissions)
        if status == 404 or isinstance(error, FileNotFoundError):
            return failure(doing, where, code or "there is no such object", "check its name")
        return failure(doing, where, said, f"check the network and the endpoint; {AGAIN}")


def _check_bucket(error: FileNotFoundError) -> None:
    """Raise it again where the bucket is missing, rather than an object in it."""
    if _code(str(error)) in _NO_BUCKET:
        raise error


def _part_bytes(size: int) -> int:
    """How long the parts of a file are, so that no cloud finds them too small or too many."""
    least = -(-size // _MOST_PARTS)
    return max(PART_BYTES, -(-least // (1 << 20)) * (1 << 20))


def _is_transient(error: Exception) -> bool:
    if isinstance(error, Damaged):
        return True
    text = str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return isinstance(error, ConnectionError | TimeoutError)
    if any(sign in text for sign in _NO_CREDENTIALS):
        return False
    # An upload in parts was ended, and the answer lost: then all of it is sent once more.
    if _code(text) == "NoSuchUpload":
        return True
    status = _status(text)
    if status:
        return status >= 500 or status in _TRANSIENT_STATUS
    return type(error) is not FileNotFoundError and type(error).__name__ == "GenericError"


def _status(text: str) -> int:
    found = _STATUS.search(text)
    return int(found[1]) if found else 0


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[1] if found else ""


def environment(*names: str) -> str | None:
    """The first of these variables that says anything."""
    return next((value for name in names if (value := os.environ.get(name, "").strip())), None)
