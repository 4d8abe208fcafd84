"""A signal ends a stream at once, once what is being sent is sent, or when that takes too long."""

from __future__ import annotations

import os
import signal
import time

import pytest

from retail_datagen.engine.stop import JobStopped
from retail_datagen.streaming import stop as stop_module
from retail_datagen.streaming.stop import Stop, stopping


def interrupt(then_sleep: float) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(then_sleep)


def send(stop: Stop, done: list[str], seconds: float = 0.05) -> None:
    with stop.held():
        interrupt(seconds)
        done.append("sent")
    done.append("never")


def test_whoever_waits_is_stopped_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(JobStopped) as stopped, stopping():
        interrupt(60)
    assert time.monotonic() - began < 30
    assert stopped.value.exit_code == 143


def test_what_is_held_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_module, "GRACE_SECONDS", 60)
    done: list[str] = []
    with pytest.raises(JobStopped), stopping() as stop:
        send(stop, done)
    assert done == ["sent"]


def test_what_takes_too_long_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_module, "GRACE_SECONDS", 0.2)
    done: list[str] = []
    began = time.monotonic()
    with stopping() as stop:
        with pytest.raises(JobStopped):
            send(stop, done, seconds=60)
        # There is no time for last words, then.
        with pytest.raises(JobStopped), stop.hurried():
            done.append("said")
    assert done == []
    assert time.monotonic() - began < 30


def test_last_words_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_module, "GRACE_SECONDS", 60)
    said: list[str] = []
    with stopping() as stop:
        with pytest.raises(JobStopped):
            interrupt(60)
        with stop.hurried():
            said.append("flushed")
        monkeypatch.setattr(stop_module, "GRACE_SECONDS", 0.2)
        with pytest.raises(JobStopped), stop.hurried():
            time.sleep(60)
    assert said == ["flushed"]


def test_afterwards_signals_mean_what_they_meant() -> None:
    heard = signal.SIGINT, signal.SIGTERM, signal.SIGALRM
    before = [signal.getsignal(signum) for signum in heard]
    with stopping() as stop, stop.held():
        pass
    assert before == [signal.getsignal(signum) for signum in heard]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
