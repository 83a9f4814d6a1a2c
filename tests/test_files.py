"""Files and folders are put in place whole or not at all, whatever stops the program, and by two programs at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from voxelwise import files
from voxelwise.files import replace_file, replace_folder, restore_folder


@pytest.fixture
def folder(tmp_path):
    """An older folder, whose name means something to glob."""
    folder = tmp_path / "pages [1]"
    fill(folder, "older")
    return folder


def fill(folder, text):
    with replace_folder(folder) as making:
        (making / "page.html").write_text(text, encoding="utf-8")


def found(folder):
    """What is in the folder, if nothing else lies beside it."""
    assert list(folder.parent.iterdir()) == [folder]
    assert [path.name for path in folder.iterdir()] == ["page.html"]
    return (folder / "page.html").read_text(encoding="utf-8")


def test_a_newer_folder_takes_the_place_of_the_older(folder):
    assert found(folder) == "older"
    fill(folder, "newer")
    assert found(folder) == "newer"
    with replace_folder(folder, unless=lambda: True) as making:
        (making / "page.html").touch()
    assert found(folder) == "newer"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_error_leaves_the_older(folder, monkeypatch, error):
    with pytest.raises(error), replace_folder(folder) as making:
        (making / "page.html").touch()
        raise error
    assert found(folder) == "older"

    def refuse(path, target, rename=Path.rename):
        if path.name == "new":
            raise error
        rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(error):
        fill(folder, "newer")
    assert found(folder) == "older"


KILLED = """
import os, runpy, signal, sys
from pathlib import Path

module, folder, n_left = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])

def step(path, target, rename=Path.rename):
    global n_left
    rename(path, target)
    n_left -= 1
    if n_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

Path.rename = step
with runpy.run_path(module)["replace_folder"](folder) as making:
    (making / "page.part").write_text("newer")
    (making / "page.part").rename(making / "page.html")
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize(("n_steps", "left"), [(1, "older"), (2, "older"), (3, "newer")])
def test_killed_at_any_step(folder, n_steps, left):
    """Once the newer is filled, once the older is moved aside, once the newer is in place."""
    killed = subprocess.run([sys.executable, "-c", KILLED, files.__file__, folder, str(n_steps)])
    assert killed.returncode == -signal.SIGKILL
    assert folder.exists() == (n_steps != 2)
    restore_folder(folder)
    assert (folder / "page.html").read_text() == left
    (leftover,) = folder.parent.glob(".*")
    os.utime(leftover, (0, 0))
    fill(folder, "newest")
    assert found(folder) == "newest"


def test_what_another_program_is_making_is_left_alone(folder):
    """Of two at once, the later one's stays."""
    with replace_folder(folder) as making:
        (making / "page.html").write_text("later")
        fill(folder, "sooner")
        assert making.exists()
    assert found(folder) == "later"


@pytest.mark.parametrize("meanwhile", [lambda folder: fill(folder, "other"), restore_folder])
def test_another_program_comes_between_the_two_renamings(folder, monkeypatch, meanwhile):
    def interrupted(path, target, rename=Path.rename):
        rename(path, target)
        if path == folder:
            monkeypatch.undo()
            meanwhile(folder)

    monkeypatch.setattr(Path, "rename", interrupted)
    fill(folder, "newer")
    assert found(folder) == "newer"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "page.html"
    assert [replace_file(path, content) for content in (b"older", b"older", b"newer" * 99)] == [True, False, True]
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            replace_file(path, b"newest" * 999)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"newer" * 99
    assert list(path.parent.iterdir()) == [path]
