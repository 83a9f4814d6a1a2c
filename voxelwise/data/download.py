"""The recording of Miyawaki et al. (2008), downloaded through nilearn, so that every failure says what to do about it.

nilearn fetches and unpacks. Around it, this module asks first whether that can succeed, lets it work in a folder of its
own, checks what came, and only then moves the files to where they belong: a try that fails leaves nothing behind.
"""

import errno
import os
import shutil
import sys
import tarfile
import tempfile
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests
import urllib3
from nilearn.datasets import fetch_miyawaki2008, get_data_dirs

from ..errors import RecordingError

#: Where nilearn downloads from, and how large the archive there is.
ADDRESS = "https://www.nitrc.org/frs/download.php/8486/miyawaki2008.tgz?i_agree=1&download_now=1"
ARCHIVE_BYTES = 161_069_109
#: While nilearn unpacks, the archive and what is in it lie on the disk at once; a tenth of each is left as a margin.
DISK_PER_ARCHIVE = 2.2
MOST_UNPACKED = 2  # times the size of the archive; its files are compressed themselves
TIMEOUT = 30  # seconds until the server must have answered

NAME = "miyawaki2008"
_RUNS = [f"data_figure_run{run:02}" for run in range(1, 13)] + [f"data_random_run{run:02}" for run in range(1, 21)]
_AREAS = ("V1d", "V1v", "V2d", "V2v", "V3", "V3A", "V4v", "VP", *(f"lag{band}to{band + 1}" for band in range(11)))
#: The files of the recording, relative to its folder.
FILES = (
    *(f"func/{run}.nii.gz" for run in _RUNS),
    *(f"label/{run}_label.csv" for run in _RUNS),
    "mask/mask.nii.gz",
    *(f"mask/{hemisphere}{area}.nii.gz" for hemisphere in ("LH", "RH") for area in _AREAS),
    "bg.nii.gz",
)

_WORKSPACE_PREFIX = ".downloading-"
_DAY = 24 * 3600  # seconds
_ANOTHER_FOLDER = "name another folder with data_dir or the environment variable NILEARN_DATA"


def find_recording(data_dir=None):
    """Folder of the recording miyawaki2008 if it is at hand and whole; nothing is downloaded.

    Parameters
    ----------
    data_dir : path, optional
        Where recordings are kept. Default: nilearn's data folders.

    Returns
    -------
    folder : Path or None
    """
    folders = (Path(home) / NAME for home in get_data_dirs(data_dir))
    return next((folder for folder in folders if not _missing_files(folder)), None)


def fetch_recording(data_dir=None):
    """Folder of the recording miyawaki2008, which is downloaded at the first call.

    Parameters
    ----------
    data_dir : path, optional
        Where recordings are kept. Default: nilearn's data folders, the first that has it whole or else can be written
        to.

    Returns
    -------
    folder : Path
        ``.../miyawaki2008``, with ``func/``, ``label/``, ``mask/`` and ``bg.nii.gz``. If it lacked some files, the
        recording's files in it are the downloaded ones now; other files in it are left alone.

    Raises
    ------
    RecordingError
        If no folder can be written to, the disk is too full, the server does not answer with the archive, the download
        breaks off, or the archive is damaged or lacks files.
    """
    if folder := find_recording(data_dir):
        return folder
    folders = [Path(home) / NAME for home in get_data_dirs(data_dir)]
    with _workspace(folders) as (folder, workspace):
        _check_disk(folder)
        print(
            f"Downloading the recording {NAME}: {_megabytes(ARCHIVE_BYTES)}, unpacked about as much again.\n"
            f"  from {ADDRESS}\n  to   {folder}",
            file=sys.stderr,
            flush=True,
        )
        _check_answer(folder)
        _download(workspace, folder)
    return folder


def _missing_files(folder):
    """Which of the recording's files are not there, or are empty."""
    return [name for name in FILES if not _has_content(folder / name)]


def _has_content(path):
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:  # a folder that may not be looked into
        return False


def _megabytes(n_bytes):
    return f"{n_bytes / 1e6:.0f} MB"


def _remedies(folder):
    """What helps when the download does not."""
    return (
        f"Try again later; or download {ADDRESS} by hand and unpack it into {folder}, so that {FILES[0]} lies in it; "
        f"or, if the recording lies elsewhere already, {_ANOTHER_FOLDER}."
    )


@contextmanager
def _workspace(folders):
    """A temporary folder in the first folder that can be written to; afterwards it is gone, as are folders left empty.

    It lies in the recording's own folder to be on the same disk, so that files can be moved rather than copied.

    Yields
    ------
    folder, workspace : Path
    """
    failures = []
    for folder in folders:
        with ExitStack() as clean_up:
            try:
                _make_folder(folder, clean_up)
                workspace = Path(tempfile.mkdtemp(prefix=_WORKSPACE_PREFIX, dir=folder))
            except OSError as error:
                failures.append(f"{folder}: {error.strerror or error}")
                continue
            clean_up.callback(shutil.rmtree, workspace, ignore_errors=True)
            yield folder, workspace
            return
    raise RecordingError(
        f"The recording {NAME} is not there yet, and no folder to download it to can be written to:\n  "
        + "\n  ".join(failures)
        + f"\nExpected a folder that exists or can be made. Make one of these writable, or {_ANOTHER_FOLDER}."
    )


def _make_folder(folder, clean_up):
    """Make a folder that later, on ``clean_up``, is removed with those around and in it, as far as new and empty."""
    new = [path for path in (*folder.parents[::-1], folder) if not path.exists()]
    new += [path for path in (folder / "func", folder / "label", folder / "mask") if not path.exists()]
    for path in new:
        clean_up.callback(_remove_if_empty, path)
    folder.mkdir(parents=True, exist_ok=True)
    # A process that is killed cannot remove its workspace; no download takes a day.
    for leftover in folder.glob(f"{_WORKSPACE_PREFIX}*"):
        if time.time() - leftover.stat().st_mtime > _DAY:
            shutil.rmtree(leftover, ignore_errors=True)


def _remove_if_empty(folder):
    with suppress(OSError):
        folder.rmdir()


def _check_disk(folder):
    """Raise if archive and files do not fit on the disk together."""
    free, needed = shutil.disk_usage(folder).free, DISK_PER_ARCHIVE * ARCHIVE_BYTES
    if free < needed:
        raise RecordingError(
            f"{folder}: {_megabytes(free)} are free on this disk; {NAME} takes {_megabytes(needed)} while it is "
            f"unpacked. Free some space, or {_ANOTHER_FOLDER}."
        )


def _check_answer(folder):
    """Raise unless the server begins to send an archive of the expected size; the rest is not read."""
    handled, cause = sys.exception(), None
    try:
        # Without "identity", a web page would come compressed, and begin like the archive.
        with requests.get(ADDRESS, headers={"Accept-Encoding": "identity"}, stream=True, timeout=TIMEOUT) as response:
            found = _unlike_the_archive(response)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        found, cause = f"the server did not answer ({_reason(error, handled)})", error
    if found is not None:
        raise RecordingError(
            f"{ADDRESS}: {found}; expected status 200 and a gzip archive of {ARCHIVE_BYTES} bytes. Check the network "
            f"connection, and open the address in a browser to see what it says. {_remedies(folder)}"
        ) from cause


def _unlike_the_archive(response):
    """What in the server's answer is not as expected; None if all is."""
    if response.status_code != 200:
        return f"the server answered with status {response.status_code} {response.reason}"
    kind, first = response.headers.get("Content-Type", "no type"), response.raw.read(2)
    if "html" in kind.lower() or first != b"\x1f\x8b":
        return f"the server sent something else ({kind}, which begins with the bytes {first.hex(' ') or '(none)'})"
    size = response.headers.get("Content-Length", str(ARCHIVE_BYTES))  # a server may leave the size open
    if size != str(ARCHIVE_BYTES):
        return f"the server sent a file of {size} bytes"
    return None


def _reason(error, handled):
    """What an error comes down to: the first in its chain of causes, short of one that was being handled before."""
    while True:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or cause is handled:
            return str(error) or type(error).__name__
        error = cause


def _download(workspace, folder):
    """Let nilearn download and unpack in the workspace; move the files to the folder if they are all there."""
    handled = sys.exception()
    try:
        _fetch(workspace)
        missing = min((_missing_files(unpacked) for unpacked in _unpacked_folders(workspace)), key=len)
        if not missing:
            _move_files(workspace, folder)
            return
    except Exception as error:  # nilearn lets through what requests raises, and raises OSError, ValueError, Exception
        reason = _reason(error, handled)
        disk_is_full = any(os.strerror(code) in reason for code in (errno.ENOSPC, errno.EDQUOT))
        raise RecordingError(
            f"The download of {NAME} from {ADDRESS} to {folder} broke off: {reason}. Expected a whole archive of "
            f"{ARCHIVE_BYTES} bytes with {len(FILES)} files. "
            + (f"Free some space, or {_ANOTHER_FOLDER}." if disk_is_full else _remedies(folder))
        ) from error
    raise RecordingError(
        f"The archive from {ADDRESS} lacks {len(missing)} of the {len(FILES)} files expected in {folder}, or they are "
        f"empty: {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}. {_remedies(folder)}"
    )


def _fetch(workspace):
    """Run nilearn's fetcher; files that are not in the archive are no error yet."""
    with warnings.catch_warnings(), _safe_extraction(), suppress(UserWarning):
        # When a file is not in the archive, nilearn warns, then deletes the others. Stopped at the warning, it leaves
        # them to be counted.
        warnings.filterwarnings("error", message="An error occurred while fetching", category=UserWarning)
        fetch_miyawaki2008(data_dir=workspace, resume=False, verbose=1)


@contextmanager
def _safe_extraction():
    """Have tarfile refuse all but files and folders, each once, in their folder, and not larger than can be expected.

    nilearn looks at the names of the members, but not at where links lead.
    """
    before = vars(tarfile.TarFile)["extraction_filter"]
    sizes = {}

    def only_expected(member, folder):
        if member.offset == 0:  # nilearn unpacks once more when it misses something
            sizes.clear()
        member = tarfile.data_filter(member, folder)
        name = os.path.normpath(member.name)
        if member.isdir():
            return member
        if not member.isreg() or name in sizes:
            raise OSError(f"{name!r} comes twice in the archive, or is no file")
        sizes[name] = member.size
        if sum(sizes.values()) > MOST_UNPACKED * ARCHIVE_BYTES:
            raise OSError(f"with {name!r}, the archive unpacks to more than {MOST_UNPACKED} times its size")
        return member

    tarfile.TarFile.extraction_filter = staticmethod(only_expected)
    try:
        yield
    finally:
        tarfile.TarFile.extraction_filter = before


def _unpacked_folders(workspace):
    """Where nilearn may have left the files: in the end in its folder, until then in a temporary one inside."""
    return [workspace / NAME, *(path for path in (workspace / NAME).iterdir() if path.is_dir())]


def _move_files(workspace, folder):
    """Move the recording's files to their folder, all or none; another process may have done so in the meantime."""
    if not _missing_files(folder):
        return
    with ExitStack() as undo:
        for number, name in enumerate(FILES):
            source, target, former = workspace / NAME / name, folder / name, workspace / f"former-{number}"
            target.parent.mkdir(exist_ok=True)
            if target.is_file():
                os.replace(target, former)
                undo.callback(os.replace, former, target)
            os.replace(source, target)
            undo.callback(os.replace, target, source)
        undo.pop_all()
