"""Write a file or a folder whole or not at all, whatever stops the program, and let two programs do so at once."""

import errno
import glob
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
    may be killed: the older one then lies in the hidden folder beside. Of two programs that do this at once, the folder
    of one stays, whole; the one that is there, if ``unless()`` is true once the block has ended.
    """
    folder = Path(folder)
    with workspace(folder) as scratch:
        making, older = scratch / "new", scratch / "old"
        making.mkdir()  # unlike a temporary folder, open to whoever may open its neighbours
        yield making
        if unless is None or not unless():
            with suppress(FileNotFoundError):
                folder.rename(older)
            try:
                making.rename(folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # otherwise another program was quicker
                    with suppress(FileNotFoundError):  # there was none: what went wrong is still the first error
                        older.rename(folder)
                    raise


@contextmanager
def workspace(target):
    """A temporary folder beside the target; those of killed programs are removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = f".{target.name}.new-"
    for leftover in target.parent.glob(f"{glob.escape(name)}*"):
        with suppress(FileNotFoundError):  # another program removes it too
            if time.time() - leftover.stat().st_mtime > STALE:
                shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=name, dir=target.parent, ignore_cleanup_errors=True) as scratch:
        yield Path(scratch)
