"""One response a trial: averaged while the stimulus is shown, or estimated with a haemodynamic response."""

import warnings
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
from nilearn.glm.first_level import make_first_level_design_matrix
from scipy.linalg import orth

from ..data.cleaning import read_values
from ..data.events import check_hrf_model
from ..data.reading import first_file
from ..data.samples import check_finite, find_runs, is_rest, join_runs, load_samples, spread
from ..errors import RecordingError

RESPONSE_TIME = 32  # seconds after which nilearn's haemodynamic responses are over
#: The share of a trial's response, squared, that a run has to hold: of a tenth, noise makes three times as much.
MIN_SHARE = 0.1


def average_trials(samples):
    """Average the responses to each stimulus while it is on the screen.

    Parameters
    ----------
    samples : Samples
        Of pictures on a screen, as :func:`~voxelwise.load_samples` returns them.

    Returns
    -------
    trials : Samples
        One row a trial, a stretch of a run with the same stimulus; rest is left out.
    """
    starts, lengths = _find_shown(samples.stimuli, samples.runs)
    trials = zip(starts, starts + lengths, strict=True)
    means = np.stack([samples.responses[start:end].mean(axis=0) for start, end in trials])
    return replace(samples, stimuli=samples.stimuli[starts], responses=means, runs=samples.runs[starts])


def load_trials(
    recording, kind="random", lag=2, hrf_model="spm", high_pass=0.01, features=None, confounds=(), drop_volumes=0
):
    """Estimate the response to each trial of a recording, from its volumes and what its labels or events tell.

    Where labels tell of no rest, there is no baseline, and :func:`average_trials` averages the volumes of a trial.

    Parameters
    ----------
    recording : Recording
    hrf_model, high_pass
        As in :func:`estimate_trials`.
    kind, lag, features, confounds, drop_volumes
        As in :func:`~voxelwise.load_samples`. The lag is for labels without rest; each event that shows something is a
        trial.

    Returns
    -------
    trials : Samples
        One row a trial; with rest, responses in percent of the voxel's baseline, and 0 where that is not positive. A
        RecordingError if there is too little rest to tell trials apart.
    """
    runs, widths, shape = find_runs(recording, kind, 0, features, None, confounds, drop_volumes)
    if recording.events is None:
        if not any(is_rest(run.design).any() for run in runs):
            return average_trials(load_samples(recording, kind, lag, drop_volumes=drop_volumes))
        runs = [_with_trials(run) for run in runs]
    mask_img, calls, known = recording.read_mask(), [], {}

    def read(run, weights):
        return _in_percent(weights @ read_values(run.path, mask_img, run.source, len(run.design)))

    for run in runs:
        measured = run.slice_time_ref, run.confounds, run.kept
        timing = joblib.hash((len(run.design), run.t_r, run.trials[["onset", "duration"]].to_numpy(), *measured))
        try:  # once for all runs with trials at the same times
            if timing not in known:
                known[timing] = _weigh_volumes(len(run.design), run.trials, run.t_r, hrf_model, high_pass, *measured)
        except ValueError as error:
            raise RecordingError(f"{first_file(run.path)}: {error}") from None
        calls.append(joblib.delayed(read)(run, known[timing]))
    return join_runs(recording, kind, runs, [run.shown for run in runs], spread(calls, 2), widths, shape, mask_img)


def estimate_trials(
    responses, events, t_r, hrf_model="spm", high_pass=0.01, slice_time_ref=0.5, confounds=None, kept=None
):
    """Estimate the response to each event of a run, in percent of the voxel's baseline.

    All trials are estimated at once, by least squares: each has a regressor of its own, its time on the screen
    convolved with a haemodynamic response, beside slow cosines and a constant, the baseline (the LS-A of Mumford et al.
    2012, NeuroImage 59, 2636-2643).

    Parameters
    ----------
    responses : ndarray, shape (n_volumes, n_voxels)
        As measured: neither standardized nor without its mean.
    events : DataFrame, one row a trial
        ``onset`` and ``duration`` in seconds from the start of the first volume.
    t_r, high_pass : float
        Seconds from volume to volume; and the frequency, in hertz, below which changes are taken for drift, or None.
    hrf_model, slice_time_ref
        As in :func:`~voxelwise.with_hrf`.
    confounds : ndarray, shape (n_volumes, n_confounds), optional
        Regressors beside those of the trials, of mean 0, so that the constant stays the baseline.
    kept : ndarray of int or bool, optional
        The volumes to estimate from. Default: all.

    Returns
    -------
    trials : ndarray of float32, shape (n_events, n_voxels)
        Response to as long an event, in percent of the baseline; 0 where that is not positive. A ValueError if the
        regressors do not tell all trials and the baseline apart, as without any rest, or if less than a tenth of a
        trial's response, squared, is in these volumes, as of an event at the end of the run.
    """
    responses, how = np.asarray(responses), (hrf_model, high_pass, slice_time_ref, confounds, kept)
    check_finite(responses=responses)
    return _in_percent(_weigh_volumes(len(responses), events, t_r, *how) @ responses)


def _weigh_volumes(n_volumes, events, t_r, hrf_model, high_pass, slice_time_ref, confounds, kept):
    """Matrix that takes the volumes of a run to its trials and, last, the baseline; shape (n_events + 1, n_volumes)."""
    check_hrf_model(hrf_model)
    kept = np.arange(n_volumes)[slice(None) if kept is None else kept]
    how, n = (t_r, hrf_model, slice_time_ref), len(events)
    design = _design(events, n_volumes, *how, high_pass, confounds)[kept]
    # Confounds may hold the same drift.
    design = np.column_stack([design[:, :n], design[:, -1], orth(design[:, n:-1])])
    n_whole = int((events["duration"].max() + RESPONSE_TIME) / t_r) + 2
    whole = _design(events.assign(onset=events["onset"] % t_r), n_whole, *how)[:, :n]
    held = (design[:, :n] ** 2).sum(axis=0) / (whole**2).sum(axis=0)
    if np.linalg.matrix_rank(design) < design.shape[1] - np.count_nonzero(held < np.finfo(float).eps):
        found = f"{len(kept)} volumes do not tell {n} trials, drift, confounds and baseline apart"
        raise ValueError(f"{found}; expected rest between trials, fewer of them, or no confound that does not change.")
    if held.min() < MIN_SHARE:
        onset = events["onset"].iloc[held.argmin()]
        found = f"the event at {onset:g} s has {held.min():.1%} of its response, squared, in the {len(kept)} volumes"
        raise ValueError(f"{found}; expected {MIN_SHARE:.0%} or more. Take it out of the events, or make it rest.")
    weights = np.zeros((n + 1, n_volumes))
    weights[:, kept] = np.linalg.pinv(design)[: n + 1]
    return weights


def _design(events, n_volumes, t_r, hrf_model, slice_time_ref, high_pass=None, confounds=None):
    """A column for the response to each event, then those of confounds and drift, and at the end a constant."""
    frame_times = t_r * (np.arange(n_volumes) + slice_time_ref)
    trials = events[["onset", "duration"]].assign(trial_type=[f"trial {number:05}" for number in range(len(events))])
    how = hrf_model, "cosine", high_pass or 0
    with warnings.catch_warnings(action="ignore"):  # that it is singular is refused
        return make_first_level_design_matrix(frame_times, trials, *how, add_regs=confounds).to_numpy()


def _in_percent(estimates):
    """Estimates of trials in percent of the last, the baseline."""
    baseline = estimates[-1]
    percent = np.divide(100, baseline, out=np.zeros_like(baseline), where=baseline > 0)
    return (estimates[:-1] * percent).astype(np.float32)


def _with_trials(run):
    """A run of labels with its trials: when and for how long stimuli are shown, and what each is."""
    starts, lengths = _find_shown(run.design, np.zeros(len(run.design)))
    trials = pd.DataFrame({"onset": starts * run.t_r, "duration": lengths * run.t_r})
    return replace(run, trials=trials, shown=run.design[starts])


def _find_shown(stimuli, runs):
    """First row and number of rows of each stimulus that is shown, in order."""
    changes = (stimuli[1:] != stimuli[:-1]).any(axis=1) | (runs[1:] != runs[:-1])
    starts = np.append(0, np.flatnonzero(changes) + 1)
    lengths = np.diff(np.append(starts, len(stimuli)))
    shown = ~is_rest(stimuli[starts])
    if not shown.any():
        raise RecordingError("There is no stimulus in any run, only rest (-1 throughout); expected some to tell apart.")
    return starts[shown], lengths[shown]
