"""Clouds only: faults on the line, damage, credentials, and what is said then."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.objects import StoreError, open_store
from services.faults import FaultyProxy
from services.places import Place, a_file, content, keys, place_of


@pytest.fixture(params=("s3", "gcs"))
def cloud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """One with a server; retries come fast."""
    found = place_of(request.param, request)
    monkeypatch.setenv("RETAIL_UPLOAD_BACKOFF_BASE", "0.005")
    monkeypatch.setenv("RETAIL_UPLOAD_TIMEOUT", "1")
    return found


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.soak) for n in (2, 3))])
def test_with_faults_on_the_line_every_operation_ends_right(
    cloud: Place, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud.server is not None
    direct = cloud.open()
    large, sha256 = a_file(tmp_path / "large", (6 << 20) if cloud.kind == "gcs" else (17 << 20))
    with FaultyProxy(cloud.server, seed, share=0.1, stall_seconds=1.5) as proxy:
        store = open_store(cloud.url, proxy.url)
        for number in range(12):
            store.put(f"d/{number:02}", b"x" * number)
        store.upload(large, "large", sha256)
        store.download("large", tmp_path / "back")
        for number in range(6):
            # An answer that is lost on its way makes no loser of who has won.
            assert store.create(f"lease{number}", b"a")
            assert not store.create(f"lease{number}", b"a")
            version = content(store, f"lease{number}").version
            assert store.swap(f"lease{number}", b"b", version)
            assert not store.swap(f"lease{number}", b"c", version)
        listed = keys(store)
        for number in range(6, 12):
            store.delete(f"d/{number:02}")
        store.close()
        assert proxy.dice.drawn.total() - proxy.dice.drawn[""] >= 3
    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    assert content(direct, "large").data == large.read_bytes()
    small = [f"d/{number:02}" for number in range(12)]
    leases = [f"lease{number}" for number in range(6)]
    assert listed == [*small, "large", *leases]
    assert keys(direct) == [*small[:6], "large", *leases]
    assert all(content(direct, f"d/{n:02}").data == b"x" * n for n in range(6))
    assert all(content(direct, lease).data == b"b" for lease in leases)
    direct.close()


@pytest.mark.parametrize("fault", ["error", "stall", "cut", "lost"])
def test_with_nothing_but_faults_there_is_an_error_that_says_what_to_do(
    cloud: Place, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud.server is not None
    monkeypatch.setenv("RETAIL_UPLOAD_RETRIES", "1")
    monkeypatch.setenv("RETAIL_UPLOAD_TIMEOUT", "0.3")
    cloud.open().put("d/k", b"whole")
    source, sha256 = a_file(tmp_path / "source", 1000)
    with FaultyProxy(cloud.server, 1, share=1.0, stall_seconds=0.6, kinds=[fault]) as proxy:
        store = open_store(cloud.url, proxy.url)
        calls: list[Callable[[], object]] = [
            lambda: store.put("k", b"data"),
            lambda: store.upload(source, "k2", sha256),
            lambda: store.get("d/k"),
            lambda: list(store.list()),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="run the same command again") as raised:
                call()
            assert cloud.url in str(raised.value)
            assert "test-only" not in str(raised.value)
            assert len(str(raised.value)) < 700
        assert proxy.dice.drawn[""] == 0
        assert proxy.dice.drawn[fault] >= 8
        store.close()


def test_a_bucket_that_does_not_exist(cloud: Place) -> None:
    scheme = cloud.url.partition("://")[0]
    store = open_store(f"{scheme}://no-such-bucket-here/prefix")
    calls: list[Callable[[], object]] = [
        lambda: store.put("k", b""),
        lambda: store.create("k", b""),
        lambda: list(store.list()),
    ]
    for call in calls:
        with pytest.raises(StoreError, match=r"no-such-bucket-here.*create the bucket first"):
            call()
    store.close()


def test_a_server_that_is_not_there(cloud: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIL_UPLOAD_RETRIES", "1")
    store = open_store(cloud.url, "http://127.0.0.1:1")
    with pytest.raises(StoreError, match="check the network and the endpoint"):
        store.create("k", b"")
    store.close()


def test_damage_on_arrival_is_noticed(s3_url: str, tmp_path: Path) -> None:
    """Where the ETag says something else, the object is read back."""
    from retail_datagen.objects.cloud import CloudStore
    from retail_datagen.objects.failures import Damaged

    store = open_store(s3_url)
    assert isinstance(store, CloudStore)
    source, sha256 = a_file(tmp_path / "source", 1000)
    store.upload(source, "k", sha256)
    path = store._path("k")
    md5 = hashlib.md5(source.read_bytes()).hexdigest()
    store._verify(path, 1000, md5, sha256)
    store._verify(path, 1000, "another kind of tag", sha256)
    with pytest.raises(Damaged, match="1000 of 999 bytes"):
        store._verify(path, 999, md5, sha256)
    store.put("k", b"y" * 1000)
    with pytest.raises(Damaged, match="sha256"):
        store._verify(path, 1000, md5, sha256)


def test_damage_of_what_was_uploaded_is_noticed_at_the_download(
    s3_url: str, moto_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("RETAIL_UPLOAD_RETRIES", "0")
    bucket, _, prefix = s3_url.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=moto_server)
    client.put_object(
        Bucket=bucket, Key=f"{prefix}/k", Body=b"other", Metadata={"sha256": "0" * 64}
    )
    with pytest.raises(StoreError, match="the sha256 of what came"):
        open_store(s3_url).download("k", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_no_credentials_anywhere(
    s3_url: str, gcs_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name)
    with pytest.raises(UserError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_store(s3_url).put("k", b"")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreError, match="gcloud auth application-default login"):
        open_store(gcs_url)


def test_keys_of_a_profile(s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        "[mine]\naws_access_key_id = k\naws_secret_access_key = s\nregion = us-east-1\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    open_store(s3_url).put("k", b"")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    with pytest.raises(UserError, match="AWS_SECRET_ACCESS_KEY is not set"):
        open_store(s3_url)


def test_azure_needs_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("obstore")
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(UserError, match="set AZURE_STORAGE_ACCOUNT_NAME"):
        open_store("az://container/prefix")
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        "AccountName=mine;AccountKey=c2VjcmV0LWtleQ==;BlobEndpoint=http://127.0.0.1:1/mine",
    )
    monkeypatch.setenv("RETAIL_UPLOAD_RETRIES", "0")
    store = open_store("az://container/prefix/")
    assert store.url == "az://container/prefix"
    with pytest.raises(StoreError, match="az://container/prefix/k") as raised:
        store.put("k", b"")
    assert "c2VjcmV0" not in str(raised.value)
