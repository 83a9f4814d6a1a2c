"""The simulated signal before noise: what a perfect model could explain of it, and how late it comes."""

from functools import partial

import numpy as np
import pandas as pd
from scipy.signal import detrend

from .cortex import true_fields
from .experiment import draw_stimuli
from .responses import NOISE_SD, REST, draw_noise, drive_voxels, haemodynamic_response

N_NOISE = 4000  # voxels of pure noise that its mean variance is taken from: known to about 0.2 %
_centred = partial(detrend, axis=0, type="constant")  # values of one run, their mean over time taken away


def true_parts(truth, lag=2):
    """Shares of each voxel's signal ``d`` in the random runs that on/off explains, and that the pattern adds.

    A perfect linear model knows whether there was a stimulus ``lag`` volumes earlier, ``u``, and the sum of its pixels,
    weighted by the true field, of which a regression on ``u`` leaves ``q``. Shares are ``r(u, d)**2`` and
    ``r(q, d)**2``, centred within each run.

    Parameters
    ----------
    truth, lag : DataFrame, int
        The simulated recording's, ``recording.truth``; as in :func:`~voxelwise.load_samples`.

    Returns
    -------
    parts : DataFrame, one row a voxel, as in ``truth``
        ``on/off`` and ``pattern``, from 0 to 1; NaN in voxels that do not respond. Times ``truth["share"]``, they are
        the R2 of a perfect model on noisy responses.
    """
    fields = true_fields(truth).reshape(len(truth), -1)
    sums = np.zeros((6, len(truth)))
    for frames in _runs_of("random"):
        shown = frames[: len(frames) - lag, 1:-1, 1:-1].reshape(len(frames) - lag, -1)  # what labels tell
        d = _centred(drive_voxels(frames, truth)[lag:])
        u = _centred((shown != REST).any(axis=1).astype(float))
        p = _centred((shown == 1) @ fields.T)
        sums += [(d * d).sum(0), np.full(len(truth), u @ u), (p * p).sum(0), u @ d, u @ p, (p * d).sum(0)]
    dd, uu, pp, ud, up, pd_ = sums
    qq, qd = pp - up**2 / uu, pd_ - up * ud / uu
    with np.errstate(invalid="ignore"):  # 0 / 0, in voxels that do not respond
        parts = pd.DataFrame({"on/off": ud**2 / (uu * dd), "pattern": qd**2 / (qq * dd)}, truth.index)
    parts[(truth["gain"] == 0).to_numpy()] = np.nan
    return parts


def true_ceiling(truth, repeated, rng, lag=2):
    """The true share of the signal in the variance of each voxel's responses in the figure runs.

    Parameters
    ----------
    truth, lag
        As in :func:`true_parts`.
    repeated : ndarray of bool, shape (n_samples,)
        Which samples, as in :class:`~voxelwise.NoiseCeiling`; they are centred within their run.
    rng : numpy.random.Generator
        For the noise, which is treated as :func:`~voxelwise.load_samples` treats its sum with the signal.

    Returns
    -------
    ceiling : ndarray of float64, shape (n_voxels,)
        The R2 to expect of a model that knows the signal.
    """
    runs, gain = _runs_of("figure"), truth["gain"].to_numpy()
    ends = np.cumsum([len(frames) - lag for frames in runs])
    explained = total = 0
    for frames, rows in zip(runs, np.split(repeated, ends[:-1]), strict=True):
        signal = detrend(gain * drive_voxels(frames, truth), axis=0)
        noise = detrend(np.rint(NOISE_SD * draw_noise(len(frames), np.zeros((1, N_NOISE)), rng)), axis=0)
        scale = rows.sum() / (signal.var(axis=0) + noise.var(axis=0).mean())
        signal, noise = signal[lag:][rows].var(axis=0), noise[lag:][rows].var(axis=0).mean()
        explained += scale * signal
        total += scale * (signal + noise)
    return explained / total


def true_time_course(truth, n_lags):
    """The response of each voxel to one volume of stimulation.

    Parameters
    ----------
    truth, n_lags : DataFrame, int
        As in :func:`true_parts`; how many volumes to tell of.

    Returns
    -------
    course : ndarray, shape (n_lags, n_voxels)
        Its share in the same volume, the next one, and so on.
    """
    course = haemodynamic_response(truth["time_to_peak"].to_numpy())[:n_lags]
    return np.pad(course, [(0, n_lags - len(course)), (0, 0)])  # it is over after its last volume


def _runs_of(kind):
    """What was on the screen in each run of a kind."""
    return [frames for name, frames in draw_stimuli().items() if name.startswith(kind)]
