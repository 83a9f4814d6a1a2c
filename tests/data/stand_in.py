"""A stand-in for OpenNeuro's ds000255: its names, its events and its kinds of files, small, with responses known."""

from itertools import product

import nibabel
import numpy as np
import pandas as pd
from nilearn.glm.first_level import spm_hrf
from scipy.signal import fftconvolve

from voxelwise.simulation.bids import MOTION

T_R, GRID, N_VERTICES, AFFINE = 2.0, (6, 5, 2), 20, np.diag([3.0, 3.0, 3.0, 1.0])
RUNS = {"viewRandom": (1, 2, 4, 5, 7, 8), "viewFigure": (3, 6)}  # of a session, counted over both tasks
SPACES = ("_space-MNI152NLin2009cAsym_res-2", "_space-T1w", "")


def write_stand_in(folder, rng):
    """Fill a folder with ``ds000255`` and ``ds000255-fmriprep``; return which pixel of 12 x 12 drives each voxel."""
    pixels = rng.integers(2, 10, (np.prod(GRID) + 2 * N_VERTICES, 2))
    figures = rng.integers(0, 2, (5, 144))
    for session, (task, numbers) in product(("ses-01", "ses-02"), RUNS.items()):
        for number in numbers:
            shown = rng.integers(0, 2, (20, 144)) if task == "viewRandom" else rng.permutation(figures)
            _write_run(folder, session, task, number, shown, pixels, rng)
    return pixels


def _write_run(folder, session, task, number, shown, pixels, rng):
    """Rest for 28 s, then each pattern for 6 s and rest for 6 s; rest is an event, and its pattern null."""
    raw, func = (folder / data / "sub-01" / session / "func" for data in ("ds000255", "ds000255-fmriprep"))
    for place in (raw, func):
        place.mkdir(parents=True, exist_ok=True)
    lines = ["onset\tduration\ttrial_type\tstimulus_pattern", "0\t28\trest\tnull"]
    n_volumes = 14 + 6 * len(shown) + 3
    screen = np.zeros((n_volumes * 20, 144))  # in steps of 0.1 s
    for onset, pattern in zip(range(28, 1000, 12), shown, strict=False):
        lines += [f"{onset}\t6\t{task}\t{''.join(map(str, pattern))}", f"{onset + 6}\t6\trest\tnull"]
        screen[10 * onset : 10 * onset + 60] = pattern
    stem = f"sub-01_{session}_task-{task}_run-{number:02}"
    (raw / f"{stem}_events.tsv").write_text("\n".join(lines) + "\n")
    (raw / f"{stem}_bold.json").write_text(f'{{"RepetitionTime": {T_R}}}')
    late = fftconvolve(screen, spm_hrf(T_R, 20)[:, np.newaxis], axes=0)[10 : len(screen) : 20]
    values = 1000 + 20 * late[:, pixels @ [12, 1]] + rng.normal(size=(n_volumes, len(pixels)))
    values, stem = values.astype(np.float32), stem.replace("run-0", "run-")
    n_voxels = np.prod(GRID)
    for space in SPACES:
        start, volumes = f"{func / stem}{space}", values[:, :n_voxels].T.reshape(*GRID, -1)
        nibabel.Nifti1Image(volumes, AFFINE).to_filename(f"{start}_desc-preproc_bold.nii.gz")
        nibabel.Nifti1Image(np.ones(GRID, np.uint8), AFFINE).to_filename(f"{start}_desc-brain_mask.nii.gz")
    (func / f"{stem}_space-MNI152NLin6Asym_desc-smoothAROMAnonaggr_bold.nii.gz").touch()
    for side, vertices in (("L", slice(n_voxels, n_voxels + N_VERTICES)), ("R", slice(-N_VERTICES, None))):
        arrays = [nibabel.gifti.GiftiDataArray(volume, "NIFTI_INTENT_TIME_SERIES") for volume in values[:, vertices]]
        image = nibabel.gifti.GiftiImage(darrays=arrays)
        image.to_filename(func / f"{stem}_hemi-{side}_space-fsaverage5_bold.func.gii")
    motion = pd.DataFrame(rng.normal(size=(n_volumes, 6)), columns=MOTION)
    motion.to_csv(func / f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False)
