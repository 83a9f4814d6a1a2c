"""Write a file or a folder whole or not at all, whatever stops the program, and let two programs do so at once."""

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

#: Nothing is in the making for so long (in seconds): what is older was left behind by a program that was killed.
STALE = 24 * 3600


def replace_file(path, content):
    """Put a content in place of what a file held before.

    Parameters
    ----------
    path : path
        Its folder is made if need be.
    content : bytes

    Returns
    -------
    changed : bool
        Whether the file was not there, or held something else.
    """
    path = Path(path)
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with _workspace(path) as workspace:
        (workspace / path.name).write_bytes(content)
        os.replace(workspace / path.name, path)
    return True


@contextmanager
def replace_folder(folder):
    """Fill a new folder, and put it in place of another of that name once the ``with`` block has ended well.

    Until then the older one stays as it is; after an error it stays for good. Between the two renamings that this
    takes, a program may be killed: the next call, or :func:`restore_folder`, puts the older one back.

    Parameters
    ----------
    folder : path
        The folder around it is made if need be.

    Yields
    ------
    making : Path
        An empty folder on the same disk.
    """
    folder = Path(folder)
    restore_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _workspace(folder) as workspace:
        making = workspace / "new"
        making.mkdir()  # unlike a temporary folder, open to whoever may open its neighbours
        yield making
        try:
            if folder.exists():
                shutil.rmtree(_older(folder), ignore_errors=True)
                folder.rename(_older(folder))
            making.rename(folder)
        finally:
            restore_folder(folder)
    shutil.rmtree(_older(folder), ignore_errors=True)


def restore_folder(folder):
    """Put an older folder back that a killed program had moved aside.

    Parameters
    ----------
    folder : Path
    """
    if _older(folder).exists() and not folder.exists():
        _older(folder).rename(folder)


def _older(folder):
    """Where the older folder is while the new one takes its place."""
    return folder.with_name(f".{folder.name}.old")


@contextmanager
def _workspace(target):
    """A temporary folder beside the target; those of killed programs are removed."""
    prefix = f".{target.name}.new-"
    for leftover in target.parent.glob(f"{prefix}*"):
        if time.time() - leftover.stat().st_mtime > STALE:
            shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent, ignore_cleanup_errors=True) as workspace:
        yield Path(workspace)
