"""One job at a time per prefix."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from plain_store import PlainStore

from retail_datagen.lake.lease import Claim, Holder, Lease, LeaseError
from retail_datagen.partitions.layout import LEASE
from services.service import until


def claim(store: PlainStore) -> Claim:
    content = store.get(LEASE)
    assert content
    found = Claim.from_json(content.data)
    assert found
    return found


def leave(store: PlainStore, holder: Holder, seconds: float) -> None:
    now = datetime.now(UTC)
    expires = (now + timedelta(seconds=seconds)).isoformat()
    store.put(LEASE, Claim(holder, "theirs", now.isoformat(), expires).to_json())


def test_it_is_there_while_it_is_held(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    lease = Lease.take(store)
    assert claim(store).holder == Holder.this_process()
    lease.check()
    lease.release()
    lease.release()
    assert store.get(LEASE) is None


def test_the_second_is_told_who_holds_it_since_when_and_until(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    lease = Lease.take(store)
    held = claim(store)
    with pytest.raises(LeaseError) as refused:
        Lease.take(store)
    lease.release()
    for word in (str(held.holder.pid), held.holder.host, held.since, held.expires, store.url):
        assert word in str(refused.value)


def test_another_hosts_is_waited_for_until_it_expires(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    elsewhere = Holder("elsewhere", 1, "")
    leave(store, elsewhere, 60)
    with pytest.raises(LeaseError, match="on elsewhere since"):
        Lease.take(store)
    leave(store, elsewhere, -1)
    Lease.take(store).release()


def test_that_of_a_dead_process_of_this_host_is_taken_over_at_once(tmp_path: Path) -> None:
    here = Holder.this_process()
    if not here.started:
        pytest.skip("needs /proc")
    store = PlainStore(tmp_path / "lake")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    leave(store, replace(here, pid=gone.pid), 60)
    Lease.take(store).release()
    # The same number, given to another process since.
    leave(store, replace(here, started=f"{here.started}0"), 60)
    Lease.take(store).release()
    leave(store, here, 60)
    with pytest.raises(LeaseError):
        Lease.take(store)


def test_what_is_no_lease_holds_nobody_up(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    store.put(LEASE, b"{}")
    Lease.take(store).release()


def test_it_is_renewed(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    lease = Lease.take(store, ttl=6)
    first = claim(store)
    until(lambda: claim(store).expires > first.expires)
    lease.check()
    later = claim(store)
    assert (later.token, later.since) == (first.token, first.since)
    assert later.expires > first.expires
    lease.release()


def test_a_lost_one_is_noticed_and_left_alone(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    lease = Lease.take(store, ttl=6)
    leave(store, Holder("elsewhere", 7, ""), 60)
    with pytest.raises(LeaseError, match="process 7 on elsewhere took its lease over"):
        until(lease.check)
    lease.release()
    assert claim(store).token == "theirs"
