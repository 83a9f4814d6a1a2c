"""The files of a checkout that git knows, as they are now."""

import os
import shutil
import subprocess


def list_files(root):
    """Their paths; without what git knows and is gone."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True).stdout
    paths = (root / os.fsdecode(name) for name in listed.split(b"\0") if name)
    return [path for path in paths if path.is_file()]


def copy_files(root, place):
    """Copy them into another folder, with their times."""
    for path in list_files(root):
        copy = place / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
