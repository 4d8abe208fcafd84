"""What went wrong with an object store, in words: where, what was said, what to do. No secrets."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

from retail_datagen.objects.base import StoreError

_LONGEST = 300
_SECRETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_CLIENT_SECRET",
)
_SHORTEST_SECRET = 8
_HIDDEN = (
    (re.compile(r"(\w+://)[^\s/@]+@"), r"\1"),
    (re.compile(r"(\w+://[^\s?]+)\?[^\s)\"']*"), r"\1"),
    (re.compile(r"(?i)\b(bearer|sharedkey|basic)\s+\S+"), r"\1 …"),
    (
        re.compile(
            r"(?i)((?:secret|password|signature|token|sig|access_?key|account_?key|key_?id)[\w-]*"
            r"(?:\s*=\s*|:\s*(?=\S{16})))\S+"
        ),
        r"\1…",
    ),
)
_ADVICE = {
    errno.ENOSPC: "free space there, or choose another target",
    errno.EDQUOT: "free space there, or choose another target",
    errno.EACCES: "choose a folder that you may write to, or have its rights changed",
    errno.EPERM: "choose a folder that you may write to, or have its rights changed",
    errno.EROFS: "it can only be read; choose another target",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another target",
    errno.EEXIST: "a file stands where a folder is needed; choose another target",
    errno.EISDIR: "a folder stands where a file is needed; choose another target",
    errno.ENAMETOOLONG: "choose a shorter prefix",
    errno.ENOTSUP: "its file system lacks what is needed (locks); choose another",
    errno.ENOLCK: "its file system lacks what is needed (locks); choose another",
    errno.ENOENT: "check the path",
}
AGAIN = "what was uploaded is kept: run the same command again"


class Damaged(Exception):
    """What arrived is not what was sent. Trying again may help."""


def failure(doing: str, where: str, said: str, advice: str) -> StoreError:
    """`doing` is a verb, `where` a URL without secrets, `said` the server's words at any length."""
    return StoreError(f"cannot {doing} {where}: {without_secrets(said)}; {advice}")


def os_failure(doing: str, where: str, error: OSError) -> StoreError:
    """The same for what the operating system said."""
    advice = _ADVICE.get(error.errno or 0, "check the disk and try again")
    return failure(doing, where, error.strerror or type(error).__name__, advice)


def unreadable(source: Path, error: OSError) -> StoreError:
    """A file that was to be uploaded."""
    return os_failure("read", str(source), error)


def changed(source: Path) -> StoreError:
    """A file that is not the one that its sha256 was taken of."""
    return failure(
        "upload",
        str(source),
        "the file is not the one that its sha256 was taken of",
        "make it again; nothing was uploaded",
    )


def without_secrets(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Text of a server or a library on one line, shortened; no credentials, no signed addresses."""
    for name in _SECRETS:
        secret = environment.get(name, "")
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
