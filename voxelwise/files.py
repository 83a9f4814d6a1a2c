"""Write a file or a folder whole or not at all, whatever stops the program, and let two programs do so at once."""

import glob
import itertools
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

STALE = 24 * 3600  # seconds: nothing is in the making for so long, what is older is left of a program that was killed


def replace_file(path, content):
    """Put bytes in place of what a file held before; return whether it was not there, or held something else."""
    path = Path(path)
    if path.exists() and path.read_bytes() == content:
        return False
    with workspace(path) as scratch:
        (scratch / path.name).write_bytes(content)
        os.replace(scratch / path.name, path)
    return True


@contextmanager
def replace_folder(folder, unless=None):
    """Yield a new, empty folder to fill, and put it in place of another of that name once the block has ended well.

    Until then, and after an error, the older one stays as it is. Between the two renamings that this takes, a program
    may be killed: the next call, or :func:`restore_folder`, puts the older one back. Of two programs that do this at
    once, the folder of the later one stays; or the one that is there, if ``unless()`` is true once the block has ended.
    """
    folder = Path(folder)
    restore_folder(folder)
    with workspace(folder) as scratch:
        making = scratch / "new"
        making.mkdir()  # unlike a temporary folder, open to whoever may open its neighbours
        yield making
        if unless is None or not unless():
            try:
                _put_in_place(making, folder)
            finally:
                restore_folder(folder)


def restore_folder(folder):
    """Put an older folder back that a killed program had moved aside."""
    folder = Path(folder)
    if folder.exists():
        return
    # Where the new folder has left its workspace, it did take its place, and was removed since: the older stays gone.
    moved = [old for new in _workspaces(folder, "new") for old in new.parent.glob("old-*")]
    try:
        if moved:
            max(moved, key=lambda old: old.stat().st_mtime).rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another program was quicker
            raise


def _put_in_place(making, folder):
    """Rename the new folder, and move out of its way what is there, or is put there by another program meanwhile."""
    for number in itertools.count():
        with suppress(FileNotFoundError):
            folder.rename(making.with_name(f"old-{number}"))
        try:
            making.rename(folder)
            return
        except OSError:
            if not folder.exists():
                raise


@contextmanager
def workspace(target):
    """A temporary folder beside the target; those of killed programs are removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in _workspaces(target):
        with suppress(FileNotFoundError):  # another program removes it too
            if time.time() - leftover.stat().st_mtime > STALE:
                shutil.rmtree(leftover, ignore_errors=True)
    place = dict(prefix=f".{target.name}.new-", dir=target.parent)
    with tempfile.TemporaryDirectory(**place, ignore_cleanup_errors=True) as scratch:
        yield Path(scratch)


def _workspaces(target, inside=""):
    """The temporary folders of this target, or the folders of a name in them."""
    return list(target.parent.glob(f".{glob.escape(target.name)}.new-*/{inside}"))
