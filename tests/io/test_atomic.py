"""Files that appear whole, together, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from jwcal_interactive.errors import OutputError
from jwcal_interactive.io.atomic import Together, atomic_path, writable_folder


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_one(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
        assert names(tmp_path) == {temporary.name}
    assert names(tmp_path) == {"a.txt"}


def test_reader_sees_the_old_file_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_error_in_the_block(error: BaseException, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(type(error)):
        write_and_fail(tmp_path / "a.txt", error)
    assert names(tmp_path) == {"a.txt"}
    assert (tmp_path / "a.txt").read_text() == "old"


def write_together(*paths: Path) -> None:
    with Together() as files:
        for path in paths:
            with files.writing(path) as temporary:
                temporary.write_text(path.name)


def write_and_fail(path: Path, error: BaseException) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        raise error


def test_together(tmp_path: Path) -> None:
    with Together() as files:
        for name in "ab":
            with files.writing(tmp_path / name) as temporary:
                temporary.write_text(name)
        assert not names(tmp_path) & {"a", "b"}
    assert names(tmp_path) == {"a", "b"}


def test_second_fails(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"/b: .*No such file"):
        write_together(tmp_path / "a", tmp_path / "nowhere" / "b")
    assert names(tmp_path) == set()


def test_name_taken_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(OutputError, match="/b: cannot be written"):
        write_together(tmp_path / "a", tmp_path / "b")
    assert names(tmp_path) == {"b"}


def test_what_was_there_comes_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with pytest.raises(OutputError, match="/b: cannot be written"):
        write_together(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == {"a", "b"}


@pytest.mark.parametrize("links", [True, False])
def test_all_are_replaced(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: Path) -> None:
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    for name in "ab":
        (tmp_path / name).write_text("old")
    write_together(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["a", "b"]
    assert names(tmp_path) == {"a", "b"}


def test_folder(tmp_path: Path) -> None:
    assert writable_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert names(tmp_path / "a" / "b") == set()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="another folder"):
        writable_folder(tmp_path / "file" / "x")
