"""Which URLs are stores."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.objects import open_store


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/x", "gs://bucket/prefix"),
        ("gcs://bucket/x", "az://container/prefix"),
        ("s3://", "names no bucket"),
        ("gs:///prefix", "names no bucket"),
        ("s3:/bucket", "gs://bucket/prefix"),
        ("s3://buc ket/x", "cannot be a bucket's name"),
        ("s3://bucket/a//b", "cannot be a prefix"),
        ("s3://bucket/../b", "cannot be a prefix"),
        ("s3://key:hunter22@bucket/x", "credentials by the environment"),
        ("az://container/x?sig=hunter22", "credentials by the environment"),
        ("https://user:hunter22@host/x?sig=hunter22", "not a kind of store"),
        ("file://elsewhere/x", "another host"),
        ("", "names no folder"),
    ],
)
def test_urls_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        open_store(url)
    assert said in str(raised.value)
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize(
    "endpoint", ["host:9000", "ftp://host", "http://u:hunter22@host", "http://h?a"]
)
def test_endpoints_that_are_refused(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        open_store("s3://bucket/x", endpoint)
    assert "hunter22" not in str(raised.value)
    with pytest.raises(UserError, match="leave it out"):
        open_store(str(tmp_path), "http://127.0.0.1:1")


def test_paths_and_file_urls_are_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("raw zone", f"file://{tmp_path}/raw%20zone", "file:raw zone", "./raw zone/"):
        assert open_store(url).url == str(tmp_path / "raw zone")
    assert not (tmp_path / "raw zone").exists()


@pytest.mark.parametrize(
    ("scheme", "library"), [("s3", "obstore"), ("az", "obstore"), ("gs", "google.cloud")]
)
def test_without_the_extra_it_is_named(
    scheme: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("retail_datagen.objects.")]:
        if name.rpartition(".")[2] in ("azure", "cloud", "gcs", "s3"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match=rf"{scheme}:// needs .*retail-datagen\[cloud\]"):
        open_store(f"{scheme}://bucket/prefix")
