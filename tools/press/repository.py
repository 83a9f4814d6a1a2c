"""Where the book is kept: its address, for the buttons of the pages."""

import re
import subprocess

GITHUB = re.compile(r"(?:https://(?:[^@/]+@)?|git@|ssh://git@)github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


def ask_git(root, *question):
    """Return git's answer about the book's own repository, or None where there is no answer."""
    own = ["--git-dir", root / ".git", "--work-tree", root]  # not that of a folder above
    try:
        ended = subprocess.run(["git", *own, *question], capture_output=True, encoding="utf-8", errors="replace")
    except OSError:  # no git
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def find_address(root):
    """Return the address ``https://github.com/...`` of the repository, or None when it is not there.

    Binder and Colab take notebooks from GitHub. A name or a token in the address of the remote is left out.
    """
    remote = GITHUB.fullmatch(ask_git(root, "remote", "get-url", "origin") or "")
    return f"https://github.com/{remote['name']}" if remote else None


def describe_commit(root):
    """Return the commit of the book, and whether files differ from it; None without a repository."""
    return ask_git(root, "describe", "--always", "--dirty=, with changes since", "--exclude=*")
