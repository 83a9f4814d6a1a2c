"""Where the book is kept: its address, for the buttons of the pages."""

import re
import subprocess

GITHUB = re.compile(r"(?:https://(?:[^@/]+@)?|git@|ssh://git@)github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


def find_address(root):
    """Return the address ``https://github.com/...`` of the repository, or None when it is not there.

    Binder and Colab take notebooks from GitHub. A name or a token in the address of the remote is left out.
    """
    command = ["git", "--git-dir", root / ".git", "remote", "get-url", "origin"]  # not that of a folder above
    try:
        remote = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace").stdout.strip()
    except OSError:  # no git
        remote = ""
    found = GITHUB.fullmatch(remote)
    return f"https://github.com/{found['name']}" if found else None
