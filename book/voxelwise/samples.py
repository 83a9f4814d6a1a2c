"""From files to two aligned matrices: what was on the screen, and how each voxel answered."""

from dataclasses import dataclass

import joblib
import nibabel
import numpy as np
from nilearn import signal

from .errors import RecordingError
from .files import load_images, read_mask, read_voxels


@dataclass(frozen=True)
class Samples:
    """Stimuli and the responses to them, one row for each pair.

    Attributes
    ----------
    stimuli : ndarray of float32, shape (n_samples, n_pixels)
        The image on the screen, row by row; -1 throughout at rest.
    responses : ndarray of float32, shape (n_samples, n_voxels)
        The volume ``lag`` TRs later, each voxel detrended and z-scored within its run; 0 throughout a run in which it
        never changes.
    runs : ndarray of int, shape (n_samples,)
        Number of the run, from 0.
    stimulus_shape : tuple of int
        Rows and columns of an image; ``stimuli.reshape(-1, *stimulus_shape)`` are the images.
    mask_img : Nifti1Image
        Its non-zero voxels, in C order, are the columns of ``responses``.
    """

    stimuli: np.ndarray
    responses: np.ndarray
    runs: np.ndarray
    stimulus_shape: tuple
    mask_img: nibabel.Nifti1Image


def load_samples(recording, kind="random", lag=2, n_jobs=None):
    """Read one kind of runs and align each volume with the image that it answers to.

    Parameters
    ----------
    recording : Recording
    kind : str
        Which runs, one of the keys of ``recording.func``.
    lag : int
        How many volumes (TRs) the response comes after the image. The first ``lag`` volumes and the last ``lag`` images
        of each run have no partner and are left out.
    n_jobs : int, optional
        How many runs are read at a time, as in joblib.

    Returns
    -------
    samples : Samples

    Raises
    ------
    RecordingError
        If there is no such kind, the lag is negative or leaves less than two samples of a run, labels and volumes
        do not match, or a file cannot be read whole. Labels and lag are checked before any volume is read.
    """
    images = load_run_images(recording, kind, lag)
    mask_img = read_mask(recording.mask)
    read = joblib.delayed(_read_run)
    responses = joblib.Parallel(n_jobs=n_jobs, prefer="threads")(
        read(path, mask_img, label, len(frames), lag)
        for path, label, frames in zip(recording.func[kind], recording.label[kind], images, strict=True)
    )
    stimuli = [frames[: len(frames) - lag].reshape(len(frames) - lag, -1) for frames in images]
    return Samples(
        stimuli=np.concatenate(stimuli),
        responses=np.concatenate(responses),
        runs=np.repeat(np.arange(len(stimuli)), [len(run) for run in stimuli]),
        stimulus_shape=images[0].shape[1:],
        mask_img=mask_img,
    )


def load_run_images(recording, kind="random", lag=0):
    """The images of all runs of one kind, once it is clear that the lag fits each run.

    Parameters
    ----------
    recording : Recording
    kind : str
    lag : int
        As in :func:`load_samples`.

    Returns
    -------
    images : list of ndarray of float32, shape (n_volumes, n_rows, n_columns)

    Raises
    ------
    RecordingError
        If there is no such kind, or the lag is negative or leaves less than two samples of a run.
    """
    if kind not in recording.func:
        kinds = ", ".join(f'"{name}"' for name in recording.func)
        raise RecordingError(f'Recording "{recording.name}" has no runs of kind "{kind}"; it has {kinds}.')
    images = [load_images(path, recording.stimulus_shape) for path in recording.label[kind]]
    for path, frames in zip(recording.label[kind], images, strict=True):
        if frames.shape[1:] != images[0].shape[1:]:
            raise RecordingError(
                f"{path}: images of {frames.shape[1:]} pixels; "
                f"{recording.label[kind][0].name} has {images[0].shape[1:]}."
            )
        if not 0 <= lag <= len(frames) - 2:
            raise RecordingError(
                f"lag={lag} does not fit {path.name}, a run of {len(frames)} volumes: "
                f"expected 0 to {len(frames) - 2}; for most scanners it is 4 to 6 s divided by the TR."
            )
    return images


def is_rest(images):
    """Which images are none: a volume of -1 throughout.

    Parameters
    ----------
    images : ndarray, shape (n_volumes, ...)

    Returns
    -------
    rest : ndarray of bool, shape (n_volumes,)
    """
    return (images == -1).reshape(len(images), -1).all(axis=1)


def correlate_with_screen(samples, max_lag=5):
    """Correlation of each voxel with the mean label on the screen, for a range of lags.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``.
    max_lag : int
        The largest lag in volumes; less where the shortest run does not allow it.

    Returns
    -------
    correlations : ndarray, shape (n_lags, n_voxels)
        Pearson's r between the screen and the response ``lag`` volumes later in the same run, for lags from 0. A voxel
        or a screen that never changes has 0.
    """
    screen = samples.stimuli.mean(axis=1, dtype=np.float64)
    run_rows = [np.flatnonzero(samples.runs == run) for run in np.unique(samples.runs)]
    n_lags = min(max_lag + 1, min(map(len, run_rows)) - 1)
    correlations = np.zeros((n_lags, samples.responses.shape[1]))
    for lag in range(n_lags):
        rows = np.concatenate([rows[: len(rows) - lag] for rows in run_rows])
        early, late = screen[rows] - screen[rows].mean(), samples.responses[rows + lag]
        spread = np.linalg.norm(early) * np.sqrt(len(rows)) * late.std(axis=0)
        np.divide(early @ late, spread, out=correlations[lag], where=spread > 0)
    return correlations


def _read_run(path, mask_img, label_file, n_rows, lag):
    """Cleaned responses of one run, shape (n_rows - lag, n_voxels)."""
    values = read_voxels(path, mask_img, label_file, n_rows)
    constant = (values == values[0]).all(axis=0)
    # Powers of 2 change no digit, and squares of the largest and smallest numbers stay in the range of float32.
    values = np.ldexp(values, -np.frexp(abs(values).max(axis=0))[1])
    responses = signal.clean(values, detrend=True, standardize="zscore_sample")
    # Rounding would otherwise be blown up to a standard deviation of 1.
    responses[:, constant] = 0
    return responses[lag:]
