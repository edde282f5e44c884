"""Content hashes and the ledger that keeps them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import platformdirs
import pytest

from jwcal_interactive.errors import Cancelled
from jwcal_interactive.references import hashes
from jwcal_interactive.references.hashes import content_hash


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _name: str(tmp_path / "cache"))
    monkeypatch.setattr(hashes, "_known", {})
    return tmp_path / "cache" / "reference_hashes.json"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.fits"
    path.write_bytes(b"abc")
    return path


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process."""
    monkeypatch.setattr(hashes, "_known", {})


def test_sha256(ledger: Path, file: Path) -> None:
    assert content_hash(file) == hashlib.sha256(b"abc").hexdigest()


def test_changed_file_is_read_again(ledger: Path, file: Path) -> None:
    first = content_hash(file)
    file.write_bytes(b"abd")
    os.utime(file, ns=(1, 1))
    assert content_hash(file) != first


def times_of(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_atime_ns, stat.st_mtime_ns


def test_other_content_with_the_time_of_the_first(ledger: Path, file: Path) -> None:
    """As copying tools that keep times leave it: same size, same modification time."""
    first, times = content_hash(file), times_of(file)
    file.write_bytes(b"abd")
    os.utime(file, ns=times)
    assert content_hash(file) == hashlib.sha256(b"abd").hexdigest() != first


def test_other_file_in_its_place(ledger: Path, file: Path, tmp_path: Path) -> None:
    first, times = content_hash(file), times_of(file)
    other = tmp_path / "other"
    other.write_bytes(b"abd")
    os.utime(other, ns=times)
    other.replace(file)
    assert content_hash(file) == hashlib.sha256(b"abd").hexdigest() != first


def test_ledger_of_an_older_version(ledger: Path, file: Path) -> None:
    stat = file.stat()
    ledger.parent.mkdir()
    ledger.write_text(json.dumps({str(file.resolve()): [stat.st_size, stat.st_mtime_ns, "0" * 64]}))
    assert content_hash(file) == hashlib.sha256(b"abc").hexdigest()


def test_ledger_spares_reading(ledger: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = content_hash(file)
    forget(monkeypatch)
    monkeypatch.setattr(hashlib, "sha256", None)  # would fail if the file were read
    assert content_hash(file) == digest
    assert [p.name for p in ledger.parent.iterdir()] == [ledger.name]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "null", '{"a": 1}', '{"a": [1, 2]}', '{"a": [1, "x", 3]}']
)
def test_damaged_ledger(content: str, ledger: Path, file: Path) -> None:
    ledger.parent.mkdir()
    ledger.write_text(content)
    assert content_hash(file) == hashlib.sha256(b"abc").hexdigest()
    assert str(file.resolve()) in json.loads(ledger.read_text())


def test_ledger_that_cannot_be_written(ledger: Path, file: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    assert content_hash(file) == hashlib.sha256(b"abc").hexdigest()


def test_reading_can_be_stopped(ledger: Path, file: Path) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        content_hash(file, stop)
    assert not ledger.exists()
