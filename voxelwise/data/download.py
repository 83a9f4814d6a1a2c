"""The recording of Miyawaki et al. (2008), downloaded to where nilearn keeps it, and whole or not at all."""

import os
import shutil
import sys
import tarfile
import zlib
from pathlib import Path

from nilearn.datasets import get_data_dirs

from ..errors import RecordingError
from ..files import replace_folder
from ..simulation.writing import first_writable

#: Where nilearn downloads from, and how large the archive there is.
ADDRESS = "https://www.nitrc.org/frs/download.php/8486/miyawaki2008.tgz?i_agree=1&download_now=1"
ARCHIVE_BYTES = 161_069_109
#: What may come out of it, in times its size; its files are compressed themselves.
MOST_UNPACKED = 2
TIMEOUT = 30  # seconds until the server must have sent something

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


def find_recording(data_dir=None):
    """Folder of the recording in ``data_dir`` or else nilearn's data folders; None if it is not there or not whole."""
    return next((home / NAME for home in _homes(data_dir) if not _missing_files(home / NAME)), None)


def fetch_recording(data_dir=None):
    """Folder of the recording, absolute, downloaded at the first call; a RecordingError says what hinders that.

    If it lacks some files, all the recording's files in it are replaced; other files in it are left alone.
    """
    found = find_recording(data_dir)
    return found or first_writable(_homes(data_dir), _fetch, f"The recording {NAME}") / NAME


def _fetch(home):
    """Download the recording to a folder; an OSError if that cannot be written to."""
    folder, size = (home / NAME).resolve(), f"{ARCHIVE_BYTES / 1e6:.0f} MB"
    with replace_folder(folder) as making:
        print(f"Downloading {NAME}, {size}, from {ADDRESS} to {folder}", file=sys.stderr, flush=True)
        free, needed = shutil.disk_usage(making).free, (1 + MOST_UNPACKED) * ARCHIVE_BYTES
        try:
            if folder.is_file():
                raise NotADirectoryError(f"{folder} is a file")
            if free < needed:
                raise OSError(f"{free / 1e6:.0f} MB are free of the {needed / 1e6:.0f} MB that it takes to unpack it")
            _download(making)
            if folder.exists():  # what else lies in it stays
                shutil.copytree(folder, making, copy_function=_copy_new, dirs_exist_ok=True)
        except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
            raise RecordingError(
                f"The download of {size} from {ADDRESS} to {folder} failed: {error}. Free some space, try again, "
                "unpack it by hand, or name another folder with data_dir or the environment variable NILEARN_DATA."
            ) from error


def _homes(data_dir):
    """Where recordings are kept, without links, so that what is renamed stays on its disk."""
    return [Path(home).expanduser().resolve() for home in get_data_dirs(data_dir)]


def _missing_files(folder):
    """Which of the recording's files are not there, or are empty."""
    return [name for name in FILES if not (os.path.isfile(folder / name) and os.path.getsize(folder / name))]


def _download(folder):
    """Fill a folder with the files of the recording, and nothing else, from the archive."""
    import pooch  # in a kernel, it warns of a progress bar that it cannot show

    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
    pooch.get_logger().setLevel("WARNING")  # it would tell where the archive lies, which is gone afterwards
    archive = Path(pooch.retrieve(ADDRESS, known_hash=None, fname="archive", path=folder, downloader=downloader))
    with open(archive, "rb") as file:
        start = file.read(60)
    if not start.startswith(b"\x1f\x8b"):
        raise ValueError(f"the server sent no archive, but something that begins with {start!r}")
    n_bytes = 0
    with tarfile.open(archive) as members:
        for member in members:
            member.name = os.path.normpath(member.name)
            if member.name in FILES:  # nothing outside the folder; the filter refuses devices, and links to there
                n_bytes += member.size
                if n_bytes > MOST_UNPACKED * ARCHIVE_BYTES:
                    raise ValueError(f"it unpacks to more than {MOST_UNPACKED} times the size of the archive")
                members.extract(member, folder, filter="data")
        while members.fileobj.read(2**20):  # the checksum is compared only at the end
            pass
    archive.unlink()
    if missing := _missing_files(folder):
        raise ValueError(f"{len(missing)} of the files are not in the archive, or are empty, such as {missing[0]}")


def _copy_new(source, target):
    """Copy a file, unless there is one of its name."""
    if not os.path.exists(target):
        shutil.copy2(source, target)
