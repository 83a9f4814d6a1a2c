"""A folder for the chapters, made of links to what fMRIPrep wrote and of labels that are made from events."""

import os
from pathlib import Path

import numpy as np
from nilearn.image import mean_img

from ..errors import RecordingError
from .events import design_from_events
from .reading import ALMOST
from .runs import event_runs


def link_folder(recording, features, folder):
    """Make the folder of a recording with events that the chapters of the book run on.

    They know a row of pixels for each volume: the share of the volume that each stimulus is seen for, as
    ``design_from_events(..., hrf=None)`` makes it, less 1 for the share without any, so rest is -1. That suits stimuli
    that stay for a volume or more. Volumes are links, and the mean of the first run is the background.

    Parameters
    ----------
    recording : Recording
        As :func:`bids_recording` finds it, of volumes.
    features : DataFrame
        As :func:`load_pictures` and :func:`load_patterns` make it.
    folder : path
        Made if need be; :func:`load_recording` reads it, with the pixels' ``stimulus_shape``.

    Returns
    -------
    folder : Path

    Raises
    ------
    RecordingError, OSError
        If the recording has surfaces, its events do not fit the features, a file cannot be read; the folder cannot be
        written, or has such files already.
    """
    folder, mask_img = Path(folder).expanduser(), recording.read_mask()
    if mask_img is None or recording.events is None:
        raise RecordingError(f'Recording "{recording.name}" has no volumes with events; the chapters read such only.')
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)
    for kind in recording.func:
        runs, _, shape = event_runs(recording, kind, features, None)
        for number, run in enumerate(runs, start=1):
            name, path = f"data_{kind}_run{number:02}", Path(run.path)
            (folder / "func" / f"{name}.nii{path.suffix.removeprefix('.nii')}").symlink_to(os.path.abspath(path))
            n_volumes = len(run.design)
            seen = design_from_events(run.trials, np.ones((len(run.trials), 1)), n_volumes, run.t_r, None)
            rows = run.design - np.maximum(1 - seen, 0)
            rows[seen[:, 0] < ALMOST] = -1
            rows = rows.reshape(-1, *shape).swapaxes(1, 2).reshape(n_volumes, -1)  # column by column
            np.savetxt(folder / "label" / f"{name}.csv", rows, fmt="%.6g", delimiter=",")
    mask_img.to_filename(folder / "mask" / "mask.nii.gz")
    mean_img(next(iter(recording.func.values()))[0]).to_filename(folder / "bg.nii.gz")
    return folder
