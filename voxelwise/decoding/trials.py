"""One response a trial: averaged while the stimulus is shown, or estimated with a haemodynamic response."""

import warnings
from dataclasses import replace

import joblib
import nibabel
import numpy as np
import pandas as pd
from nilearn.glm.first_level import make_first_level_design_matrix

from ..data.reading import read_mask, read_voxels
from ..data.samples import Samples, is_rest, load_run_stimuli, load_samples
from ..errors import RecordingError


def average_trials(samples):
    """Average the responses to each stimulus while it is on the screen.

    A trial is as many volumes of one run in a row as have the same stimulus; a stimulus that is shown twice without
    anything in between counts as one trial. Volumes of rest are left out.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    trials : Samples
        One row a trial.

    Raises
    ------
    RecordingError
        If there is no stimulus, only rest.
    """
    starts, lengths = _find_shown(samples.stimuli, samples.runs)
    trials = zip(starts, starts + lengths, strict=True)
    means = np.stack([samples.responses[start:end].mean(axis=0) for start, end in trials])
    return replace(samples, stimuli=samples.stimuli[starts], responses=means, runs=samples.runs[starts])


def load_trials(recording, kind="random", lag=2, hrf_model="spm", high_pass=0.01, n_jobs=2):
    """Estimate the response to each trial of a recording, from its volumes and labels.

    Where labels tell of no rest, there is no baseline to measure from. Responses are then averaged over the volumes of
    a trial, as :func:`average_trials` does, some volumes later.

    Parameters
    ----------
    recording : Recording
    kind : str
        Which runs.
    lag : int
        Without rest, from a stimulus to the response to it, in volumes.
    hrf_model, high_pass
        As in :func:`estimate_trials`.
    n_jobs : int
        How many runs are read at a time, as in joblib.

    Returns
    -------
    trials : Samples
        One row a trial; with rest, responses in percent of the voxel's baseline, and 0 where that is not positive.

    Raises
    ------
    RecordingError
        As in :func:`~voxelwise.load_samples`, if there is no stimulus, or too little rest to tell trials apart.
    """
    seen, mask_img = load_run_stimuli(recording, kind), read_mask(recording.mask)
    if not any(is_rest(frames).any() for frames in seen):
        return average_trials(load_samples(recording, kind, lag))
    paths, labels = recording.func[kind], recording.label[kind]

    # Only reading is spread over threads: what ignores a warning, as an estimate does, ignores it for all of them.
    runs = zip(paths, labels, map(len, seen), strict=True)
    reads = (joblib.delayed(read_voxels)(path, mask_img, label, n_rows) for path, label, n_rows in runs)
    volumes = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(reads)
    stimuli, responses = [], []
    for path, frames, values in zip(paths, seen, volumes, strict=True):
        t_r = float(nibabel.load(path).header.get_zooms()[3])
        starts, lengths = _find_shown(frames, np.zeros(len(frames)))
        events = pd.DataFrame({"onset": starts * t_r, "duration": lengths * t_r})
        try:
            responses.append(estimate_trials(values, events, t_r, hrf_model, high_pass))
        except ValueError as error:
            raise RecordingError(f"{path}: {error}") from None
        stimuli.append(frames[starts])
    return Samples(
        stimuli=np.concatenate([shown.reshape(len(shown), -1) for shown in stimuli]),
        responses=np.concatenate(responses),
        runs=np.repeat(np.arange(len(stimuli)), [len(shown) for shown in stimuli]),
        stimulus_shape=seen[0].shape[1:],
        mask_img=mask_img,
    )


def estimate_trials(responses, events, t_r, hrf_model="spm", high_pass=0.01, slice_time_ref=0.5):
    """Estimate the response to each event of a run, in percent of the voxel's baseline.

    All trials are estimated at once, by least squares: each has a regressor of its own, its time on the screen
    convolved with a haemodynamic response, beside slow cosines and a constant, the baseline [1]_. So trials that
    overlap in time are told apart, as far as their regressors differ.

    Parameters
    ----------
    responses : ndarray, shape (n_volumes, n_voxels)
        As measured: neither standardized nor without its mean.
    events : DataFrame, one row a trial
        ``onset`` and ``duration`` in seconds from the start of the first volume. Two rows are two trials, whatever they
        show.
    t_r : float
        Seconds from volume to volume.
    hrf_model : str or callable
        A haemodynamic response of nilearn.
    high_pass : float
        In hertz; slower changes are taken for drift.
    slice_time_ref : float
        When, as a share of the volume's time, its values were measured.

    Returns
    -------
    trials : ndarray of float32, shape (n_events, n_voxels)
        Response to as long an event, in percent of the baseline; 0 where that is not positive.

    Raises
    ------
    ValueError
        If the regressors do not tell all trials and the baseline apart, as without any rest, or an event lies outside
        the run.

    References
    ----------
    .. [1] Mumford, Turner, Ashby and Poldrack (2012), Deconvolving BOLD activation in event-related designs for
       multivoxel pattern classification analyses, NeuroImage 59, 2636-2643: their LS-A.
    """
    end = t_r * len(responses)
    outside = (events["onset"] < 0) | (events["onset"] >= end)
    if outside.any():
        row = outside.to_numpy().argmax()
        raise ValueError(f"events: row {row} begins at {events['onset'].iloc[row]} s; expected 0 to {end} s.")
    names = [f"trial {number:05}" for number in range(len(events))]
    frame_times = t_r * (np.arange(len(responses)) + slice_time_ref)
    trials = events[["onset", "duration"]].assign(trial_type=names)
    with warnings.catch_warnings(action="ignore"):  # that it is singular is refused below
        design = make_first_level_design_matrix(frame_times, trials, hrf_model, "cosine", high_pass)
    if np.linalg.matrix_rank(design.to_numpy()) < design.shape[1]:
        raise ValueError(
            f"{len(responses)} volumes do not tell {len(events)} trials, drift and baseline apart; expected rest "
            "between trials, or fewer of them."
        )
    estimates = np.linalg.pinv(design.to_numpy()) @ responses  # trials come first, and the constant last
    baseline = estimates[-1]
    percent = np.divide(100, baseline, out=np.zeros_like(baseline), where=baseline > 0)
    return (estimates[: len(events)] * percent).astype(np.float32)


def _find_shown(stimuli, runs):
    """First row and number of rows of each stimulus that is shown, in order."""
    flat = stimuli.reshape(len(stimuli), -1)
    changes = (flat[1:] != flat[:-1]).any(axis=1) | (runs[1:] != runs[:-1])
    starts = np.append(0, np.flatnonzero(changes) + 1)
    lengths = np.diff(np.append(starts, len(flat)))
    shown = ~is_rest(stimuli[starts])
    if not shown.any():
        raise RecordingError("There is no stimulus in any run, only rest (-1 throughout); expected some to tell apart.")
    return starts[shown], lengths[shown]
