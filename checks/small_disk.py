"""A disk that is soon full: a small file system in memory, which only this command and what it starts can see."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

ALONE = "CHECKED_ALONE"  # set once the command runs where it may mount


def run_apart(module):
    """Start the command anew where it may mount file systems, which vanish with it; go on where that does not work."""
    apart = ["unshare", "--mount", "--map-root-user"]
    if ALONE in os.environ or not shutil.which("unshare"):
        return
    if subprocess.run([*apart, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
        os.environ[ALONE] = "1"
        os.execvp("unshare", [*apart, sys.executable, "-m", module, *sys.argv[1:]])


def can_mount():
    """Whether `run_apart` could do it."""
    return ALONE in os.environ


def mount(*options):
    """Call mount."""
    subprocess.run(["mount", *options], check=True)


@contextlib.contextmanager
def small_disk(folder):
    """Put the folder on a disk of its own, and yield a function that leaves it so many bytes."""
    with tempfile.TemporaryDirectory() as kept:
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        mount("-t", "tmpfs", "-o", "size=1g", "none", folder)
        shutil.copytree(kept, folder, dirs_exist_ok=True)

    def leave(free):
        usage = shutil.disk_usage(folder)
        size = (usage.used + free) // 4096 * 4096
        mount("-o", f"remount,size={size}", folder)

    try:
        yield leave
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
