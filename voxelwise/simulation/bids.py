"""A small experiment in the order of BIDS, with what fMRIPrep would make of it, whose truth is known.

Its sessions have masks of their own, its runs other lengths; onsets fall on any millisecond; the head moves, breathing
and drift reach all voxels, and the first two volumes of a run are too bright: what a loader has to deal with.
"""

import json
from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
from nilearn.glm.first_level import glover_hrf
from PIL import Image

from .writing import run_image

SPACE = "MNI152NLin2009cAsym"
TASK = "images"
SUBJECTS, SESSIONS, N_RUNS = ("01", "02"), ("01", "02"), 3
PICTURE_SHAPE, N_PICTURES = (4, 6), 60
GRID = (10, 11, 6)
AFFINE = nibabel.affines.from_matvec(np.diag([3.0, 3.0, 3.0]), [-15, -90, -9])
TR = 2.0  # seconds
N_BRIGHT, BRIGHT = 2, (1.4, 1.08)  # volumes at the start of a run that are brighter, and how many times
STEP = 0.02  # seconds, in which time passes
AS_TSV = dict(sep="\t", index=False, na_rep="n/a", float_format="%.6f")
MOTION = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
DISTURBING = [*MOTION, "white_matter", "csf"]


def simulated_bids(folder, rng):
    """Fill a folder; return the weights of each subject's pixels, of shape (n_x, n_y, n_z, n_rows, n_columns)."""
    folder, truth = Path(folder), {}
    derivatives = folder / "derivatives" / "fmriprep"
    (folder / "stimuli").mkdir(parents=True)
    squares = rng.integers(0, 2, (N_PICTURES, *PICTURE_SHAPE)).astype(np.uint8)
    names = [f"picture_{number:02}.png" for number in range(N_PICTURES)]
    for name, picture in zip(names, squares, strict=True):
        Image.fromarray(255 * np.kron(picture, np.ones((10, 10), np.uint8))).save(folder / "stimuli" / name)
    (folder / "dataset_description.json").write_text(json.dumps(dict(Name="Simulated", BIDSVersion="1.9.0")))
    (folder / f"task-{TASK}_bold.json").write_text(json.dumps(dict(RepetitionTime=TR, TaskName=TASK)))
    i, j, k = np.indices(GRID)
    inside = ((i - 4.5) / 5) ** 2 + ((j - 5) / 5.5) ** 2 + ((k - 2.5) / 3) ** 2 < 1
    for subject in SUBJECTS:
        truth[subject] = _fields(inside, rng)
        baseline = rng.uniform(400, 600, GRID)
        confounding = rng.normal(size=(*GRID, len(DISTURBING))).reshape(-1, len(DISTURBING))
        for session, run in product(SESSIONS, range(1, N_RUNS + 1)):
            raw, func = (place / f"sub-{subject}" / f"ses-{session}" / "func" for place in (folder, derivatives))
            for place in (raw, func):
                place.mkdir(parents=True, exist_ok=True)
            name = f"sub-{subject}_ses-{session}_task-{TASK}_run-{run:02}"
            n_volumes = int(rng.integers(80, 100))
            events = _draw_events(n_volumes, names, rng)
            shown = squares[events["stim_file"].map(names.index)]
            signal = _answer(events, shown, n_volumes) @ truth[subject].reshape(-1, squares[0].size).T
            table = _draw_confounds(n_volumes, rng)
            values = 6 * signal + 1.2 * table[DISTURBING].to_numpy() @ confounding.T
            values += baseline.ravel() + 2 * np.linspace(-1, 1, n_volumes)[:, np.newaxis]
            values += 0.8 * rng.normal(size=values.shape)
            values[:N_BRIGHT] *= np.array(BRIGHT)[:, np.newaxis]
            events.to_csv(raw / f"{name}_events.tsv", **AS_TSV)
            table.to_csv(func / f"{name}_desc-confounds_timeseries.tsv", **AS_TSV)
            in_view = inside & (k != (0 if session == SESSIONS[0] else GRID[2] - 1))  # it misses one end of the brain
            volumes = np.where(in_view[..., np.newaxis], values.T.reshape(*GRID, -1), 0)
            bold = run_image(volumes.astype(np.float32), AFFINE, TR)
            mask = nibabel.Nifti1Image(in_view.astype(np.uint8), AFFINE)
            for kind, image in (("preproc_bold", bold), ("brain_mask", mask)):
                image.to_filename(func / f"{name}_space-{SPACE}_desc-{kind}.nii.gz")
    return truth


def _fields(inside, rng):
    """Weights of the pixels: the back half answers; high voxels see low, left ones see right."""
    i, j, k = np.indices((*GRID, 1, 1))[:3]
    rows, columns = np.indices(PICTURE_SHAPE)
    row, column = 3 * (1 - k / 5), 5 * (1 - i / 9)
    fields = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 0.8**2))
    return rng.uniform(0.8, 1.2, (*GRID, 1, 1)) * fields * (inside[..., np.newaxis, np.newaxis] & (j < 6))


def _draw_events(n_volumes, names, rng):
    """A picture for a second, every two to four seconds, until 10 s before the end."""
    onsets = 6 + np.cumsum(rng.uniform(2, 4, n_volumes)).round(3)
    onsets = onsets[onsets < n_volumes * TR - 10]
    shown = [names[number] for number in rng.integers(0, len(names), len(onsets))]
    return pd.DataFrame({"onset": onsets, "duration": 1.0, "trial_type": "picture", "stim_file": shown})


def _answer(events, pictures, n_volumes):
    """What a voxel that follows a pixel does, shape (n_volumes, n_pixels): step by step, sampled in mid-volume."""
    screen = np.zeros((round(n_volumes * TR / STEP), pictures[0].size))
    for onset, duration, picture in zip(events["onset"], events["duration"], pictures, strict=True):
        screen[round(onset / STEP) : round((onset + duration) / STEP)] += picture.ravel()
    kernel = glover_hrf(TR, round(TR / STEP))
    late = np.array([np.convolve(pixel, kernel)[: len(screen)] for pixel in screen.T]).T
    return late[round(TR / 2 / STEP) :: round(TR / STEP)]


def _draw_confounds(n_volumes, rng):
    """What fMRIPrep measures: movement with jerks, tissue, cosines, and the volumes before the steady state."""
    movement = np.cumsum(rng.normal(size=(n_volumes, 6)) * (rng.random((n_volumes, 1)) < 0.3), axis=0)
    tissue = np.sin(np.arange(n_volumes)[:, np.newaxis] * rng.uniform(0.6, 2, 2))
    tissue += 0.5 * rng.normal(size=tissue.shape)
    table = pd.DataFrame(np.hstack([0.5 * movement, tissue]), columns=DISTURBING)
    for column in MOTION:
        table[f"{column}_derivative1"] = table[column].diff()
        table[f"{column}_power2"] = table[column] ** 2
        table[f"{column}_derivative1_power2"] = table[f"{column}_derivative1"] ** 2
    for order in range(1, 1 + int(2 * n_volumes * TR / 128)):
        table[f"cosine{order - 1:02}"] = np.cos(np.pi / n_volumes * (np.arange(n_volumes) + 0.5) * order)
    for number in range(N_BRIGHT):
        table[f"non_steady_state_outlier{number:02}"] = (np.arange(n_volumes) == number).astype(float)
    return table
