"""Files and folders are put in place whole or not at all, whatever stops the program, and by two programs at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voxelwise import files
from voxelwise.files import replace_file, replace_folder


@pytest.fixture
def folder(tmp_path):
    """An older folder, whose name means something to glob."""
    fill(tmp_path / "pages [1]", "older")
    return tmp_path / "pages [1]"


def fill(folder, text, **options):
    with replace_folder(folder, **options) as making:
        (making / "page.html").write_text(text)


def found(folder):
    """What is in the folder, if nothing else lies in or beside it."""
    assert [*folder.parent.rglob("*")] == [folder, folder / "page.html"]
    return (folder / "page.html").read_text()


KILLED = """
import os, runpy, sys

with runpy.run_path(sys.argv[1])["replace_folder"](sys.argv[2]):
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_killed_while_the_newer_is_filled(folder):
    killed = subprocess.run([sys.executable, "-c", KILLED, files.__file__, folder])
    assert killed.returncode == -9 and (folder / "page.html").read_text() == "older"
    (leftover,) = folder.parent.glob(".*")
    fill(folder, "newest")
    assert leftover.exists(), "it may still be in the making"
    os.utime(leftover, (0, 0))
    fill(folder, "newest")
    assert found(folder) == "newest"


def test_another_program_comes_in_between(folder, monkeypatch):
    """While the newer is filled, or between the two renamings."""

    def interrupted(path, target, rename=Path.rename):
        rename(path, target)
        monkeypatch.undo()
        fill(folder, "other")

    with replace_folder(folder) as making:
        fill(folder, "other")
        (making / "page.html").write_text("newer")
    fill(folder, "newest", unless=lambda: True)
    assert found(folder) == "newer"
    monkeypatch.setattr(Path, "rename", interrupted)
    fill(folder, "newest")
    assert found(folder) == "other"


def test_after_an_error_file_and_folder_are_as_they_were(folder, tmp_path, monkeypatch):
    def fill_disk(path, content):
        path.touch()
        raise OSError("no space left")

    def refuse(path, target, rename=Path.rename):
        if path.name == "new":
            raise PermissionError("in use")
        rename(path, target)

    with pytest.raises(KeyboardInterrupt), replace_folder(folder):
        raise KeyboardInterrupt
    monkeypatch.setattr(Path, "rename", refuse)
    for target in (folder, tmp_path / "first"):  # with an older one, and without
        with pytest.raises(PermissionError, match="in use"):
            fill(target, "newer")
    assert found(folder) == "older"
    path = tmp_path / "new" / "page.html"
    assert [replace_file(path, content) for content in (b"older", b"older", b"newer" * 99)] == [True, False, True]
    monkeypatch.setattr(Path, "write_bytes", fill_disk)
    with pytest.raises(OSError, match="no space left"):
        replace_file(path, b"newest")
    assert path.read_bytes() == b"newer" * 99
    assert list(path.parent.iterdir()) == [path]
