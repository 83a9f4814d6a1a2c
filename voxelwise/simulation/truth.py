"""The simulated signal before noise: what a perfect model could explain of it, and how late it comes."""

import numpy as np
import pandas as pd
from scipy.signal import detrend

from .cortex import STIMULUS_SHAPE, true_fields
from .responses import NOISE_SD, REST, draw_noise, drive_voxels

#: Runs of pure noise that its mean variance is taken from: known to about 0.2 %.
N_NOISE = 4000


def true_parts(truth, stimuli, lag=2):
    """Shares of each voxel's signal that on/off explains, and that the pattern of the stimulus adds.

    The signal ``d`` is what the voxel answers without noise. A perfect model of the stimulus ``lag`` volumes earlier
    knows whether there was one, ``u``, and what the voxel saw of it, ``p``: the pixels weighted by the true field. With
    ``q``, what a regression on ``u`` leaves of ``p``, the shares are the squared correlations

    ``r(u, d)**2`` and ``r(q, d)**2``,

    and their sum is the R2 of a regression of ``d`` on both. All are centred within each run, as responses are.

    Parameters
    ----------
    truth : DataFrame
        What was put into each voxel, ``recording.truth``.
    stimuli : list of ndarray, shape (n_volumes, n_rows, n_columns)
        What was on the screen in each run, from its first volume to its last, as :func:`~voxelwise.load_run_stimuli`
        returns it.
    lag : int
        As in :func:`~voxelwise.load_samples`.

    Returns
    -------
    parts : DataFrame, one row a voxel
        ``on/off`` and ``pattern``, from 0 to 1; NaN in voxels that answer nothing. Times ``truth["share"]``, the
        signal's share of the variance, they are the R2 that a perfect model would reach on noisy responses.
    """
    fields = true_fields(truth).reshape(len(truth), -1)
    sums = np.zeros((6, len(truth)))
    for frames in stimuli:
        shown = frames[: len(frames) - lag]
        d = _centred(drive_voxels(frames, truth, fields)[lag:])
        u = _centred((shown != REST).any(axis=(1, 2)).astype(float))
        p = _centred((shown == 1).reshape(len(shown), -1) @ fields.T)
        sums += [(d * d).sum(0), np.full(len(truth), u @ u), (p * p).sum(0), u @ d, u @ p, (p * d).sum(0)]
    dd, uu, pp, ud, up, pd_ = sums
    qq, qd = pp - up**2 / uu, pd_ - up * ud / uu
    answers = (truth["gain"] > 0).to_numpy()
    explained = {"on/off": (ud**2, uu * dd), "pattern": (qd**2, qq * dd)}
    silent = np.full(len(truth), np.nan)
    return pd.DataFrame({part: np.divide(*of, out=silent.copy(), where=answers) for part, of in explained.items()})


def true_ceiling(truth, stimuli, repeated, rng, lag=2):
    """The true share of the signal in the variance of each voxel's responses.

    Signal and noise are treated as :func:`~voxelwise.load_samples` treats their sum: each run is detrended, and divided
    by the standard deviation of the whole; then the samples are picked, and centred within their run.

    Parameters
    ----------
    truth, stimuli
        As in :func:`true_parts`, for the runs that show stimuli again.
    repeated : ndarray of bool, shape (n_samples,)
        Which samples, as in :class:`~voxelwise.NoiseCeiling`.
    rng : numpy.random.Generator
        For noise of the simulation's kind, whose variance after these steps is taken from many runs of it.
    lag : int
        What the samples were loaded with.

    Returns
    -------
    ceiling : ndarray of float64, shape (n_voxels,)
        The R2 that is to be expected of a model that knows the signal, with all that earlier stimuli left behind.
    """
    fields, gain = true_fields(truth).reshape(len(truth), -1), truth["gain"].to_numpy()
    ends = np.cumsum([len(frames) - lag for frames in stimuli])
    explained = total = 0
    for frames, rows in zip(stimuli, np.split(repeated, ends[:-1]), strict=True):
        signal = detrend(gain * drive_voxels(frames, truth, fields), axis=0)
        noise = detrend(np.rint(NOISE_SD * draw_noise(len(frames), N_NOISE, rng)), axis=0)
        scale = rows.sum() / (signal.var(axis=0) + noise.var(axis=0).mean())
        signal, noise = signal[lag:][rows].var(axis=0), noise[lag:][rows].var(axis=0).mean()
        explained += scale * signal
        total += scale * (signal + noise)
    return explained / total


def true_time_course(n_lags):
    """The response to one volume of stimulation, in the simulated recording the same for all voxels.

    Parameters
    ----------
    n_lags : int

    Returns
    -------
    course : ndarray, shape (n_lags,)
        How much of the response falls into the same volume, the next one, and so on; the whole response sums to 1.
    """
    flash = np.full((n_lags, *STIMULUS_SHAPE), REST)
    flash[0] = 1
    voxel = pd.DataFrame({"on_response": [0.0]})
    return drive_voxels(flash, voxel, np.full((1, flash[0].size), 1 / flash[0].size))[:, 0]


def _centred(values):
    """Values of one run, their mean over time taken away."""
    return values - values.mean(axis=0)
