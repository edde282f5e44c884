"""The hash of the simulator's source, and the removal of what another source made."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

import jwcal_interactive
from jwcal_interactive.simulate import remove_superseded, source, source_hash
from jwcal_interactive.simulate.crds_cache import build_demo_cache
from jwcal_interactive.simulate.detectors import Detector

PACKAGE = Path(jwcal_interactive.__file__).parent
DAY = 24 * 3600


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the source, to be changed."""
    folder = tmp_path / "simulate"
    shutil.copytree(PACKAGE / "simulate", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "dq.py", tmp_path)
    monkeypatch.setattr(source, "__file__", str(folder / "source.py"))
    monkeypatch.setattr(source.dq, "__file__", str(tmp_path / "dq.py"))
    return folder


def test_every_file_counts(copied: Path) -> None:
    hashes = {source_hash()}
    assert source_hash() in hashes
    files = [*sorted(copied.rglob("*.py")), copied.parent / "dq.py"]
    for file in files:
        with file.open("a") as stream:
            stream.write("# changed\n")
        hashes.add(source_hash())
    assert len(files) > 15
    assert len(hashes) == len(files) + 1


def test_new_and_renamed_files_count(copied: Path) -> None:
    hashes = {source_hash()}
    (copied / "new.py").write_text("")
    hashes.add(source_hash())
    (copied / "new.py").rename(copied / "newer.py")
    hashes.add(source_hash())
    (copied / "newer.py").rename(copied / "detectors" / "newer.py")
    hashes.add(source_hash())
    assert len(hashes) == 4


class TestRemoval:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "root"
        for name, days in {
            "demo-0123456789ab": 8, "demo-000000000000": 6, "demo-aaaaaaaaaaaa": 30, "other": 30,
            "demo-0123456789abc": 30, ".removed-1": 8,
        }.items():  # fmt: skip
            folder = root / name
            (folder / "references").mkdir(parents=True)
            (folder / "references" / "a.fits").write_text("x")
            age(folder, days)
        return root

    def test_only_unused_folders_of_other_source(self, root: Path) -> None:
        remove_superseded(root, r"demo-[0-9a-f]{12}", keep="demo-aaaaaaaaaaaa")
        assert {p.name for p in root.iterdir()} == {
            "demo-000000000000", "demo-aaaaaaaaaaaa", "other", "demo-0123456789abc",
        }  # fmt: skip

    def test_links_are_left_alone(self, root: Path, tmp_path: Path) -> None:
        target = tmp_path / "precious"
        target.mkdir()
        (target / "file").touch()
        age(target, 30)
        (root / "demo-bbbbbbbbbbbb").symlink_to(target)
        remove_superseded(root, r"demo-[0-9a-f]{12}", keep="")
        assert (target / "file").exists()
        assert (root / "demo-bbbbbbbbbbbb").is_symlink()

    def test_no_root(self, tmp_path: Path) -> None:
        remove_superseded(tmp_path / "nothing", ".*", keep="")

    def test_use_is_marked(
        self, small_detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from jwcal_interactive.simulate import crds_cache, mappings

        for module in (crds_cache, mappings):
            monkeypatch.setattr(module, "DETECTORS", {"NRCALONG": small_detector})
        (tmp_path / "demo-0123456789ab").mkdir()
        age(tmp_path / "demo-0123456789ab", 8)
        cache = build_demo_cache(tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == [cache.root.name]
        age(cache.root, 30)
        build_demo_cache(tmp_path)
        assert time.time() - cache.root.stat().st_mtime < DAY


def age(folder: Path, days: float) -> None:
    os.utime(folder, (time.time() - days * DAY,) * 2)
