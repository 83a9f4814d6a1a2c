"""The recording of Miyawaki et al. (2008), downloaded to where nilearn keeps it, and moved there once it is whole."""

import os
import sys
import warnings
from pathlib import Path

from nilearn.datasets import fetch_miyawaki2008, get_data_dirs

from ..errors import RecordingError
from ..files import workspace
from ..simulation.writing import first_writable

ADDRESS = "https://www.nitrc.org/frs/download.php/8486/miyawaki2008.tgz?i_agree=1&download_now=1"  # nilearn's
ARCHIVE = 161  # MB, how large the archive there is
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
    return find_recording(data_dir) or first_writable(_homes(data_dir), _fetch, f"The recording {NAME}") / NAME


def _fetch(home):
    """Download the recording to a folder; an OSError if that cannot be written to."""
    folder = home / NAME
    with workspace(folder) as scratch:
        try:
            print(f"Downloading {NAME}, {ARCHIVE} MB, from {ADDRESS} to {folder}", file=sys.stderr, flush=True)
            with warnings.catch_warnings(action="ignore"):  # nilearn's, of what the error then says
                fetch_miyawaki2008(scratch, verbose=int(sys.stdout.isatty()))
            if missing := _missing_files(scratch / NAME):
                raise OSError(f"{len(missing)} of the files are empty, such as {missing[0]}")
            for name in FILES:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(scratch / NAME / name, folder / name)
        except Exception as error:  # nilearn gives some errors no other kind
            raise RecordingError(
                f"The download of {ARCHIVE} MB from {ADDRESS} to {folder} failed: {error}. Free some space, try again, "
                "unpack it by hand, or name another folder with data_dir or the environment variable NILEARN_DATA."
            ) from error


def _homes(data_dir):
    """Where recordings are kept, without links, so that what is renamed stays on its disk."""
    return [Path(home).expanduser().resolve() for home in get_data_dirs(data_dir)]


def _missing_files(folder):
    """Which of the recording's files are not there, or are empty."""
    return [name for name in FILES if not (os.path.isfile(folder / name) and os.path.getsize(folder / name))]
