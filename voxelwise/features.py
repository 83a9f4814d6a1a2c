"""Other ways to turn the screen into columns: other codings of rest, other lags, a haemodynamic response."""

import dataclasses
import math
from numbers import Real

import numpy as np
from nilearn.glm.first_level.hemodynamic_models import compute_regressor
from scipy.signal import lfilter

from .data.samples import check_whole, columns_of, is_rest

#: Names of the codings.
CODINGS = ("published", "rest black", "on/off", "on/off and pixels")
#: Value of the on/off column while a stimulus is on the screen. A column that is a hundred times as large needs a
#: hundredth of the weight, and a ridge penalty on the square of that hardly shrinks it. Pixels keep their values and
#: their penalty.
ON = 100


def recode(samples, coding):
    """The same responses, with another coding of what was on the screen.

    Each pixel ``x`` has a value while a stimulus is shown; ``u`` is 1 while one is and 0 at rest. The codings are

    - ``"published"``: the pixels as they are loaded, ``x - (1 - u)``, so -1 at rest. Weights ``w`` of the pixels then
      give ``u`` a weight too, ``sum(w)``, and no other;
    - ``"rest black"``: ``x``, with 0 at rest;
    - ``"on/off"``: one column, ``ON * u``;
    - ``"on/off and pixels"``: both, the on/off column first.

    What its pattern explains beyond a stimulus being there is, as in variance partitioning [1]_, the unique share

    ``R2("on/off and pixels") - R2("on/off")``.

    Parameters
    ----------
    samples : Samples
        As :func:`load_samples` or :func:`with_delays` returns them, one lag only: rest is known by its -1.
    coding : str
        One of ``CODINGS``.

    Returns
    -------
    recoded : Samples
        With other ``stimuli``, float32. With an on/off column these are pictures no longer, and ``stimulus_shape`` is
        ``(n_columns,)``; if there are pixels beside it, both are named ``features``.

    Raises
    ------
    ValueError
        If there is no such coding.

    References
    ----------
    .. [1] de Heer, Huth, Griffiths, Gallant, Theunissen (2017). The hierarchical cortical organization of human speech
       processing. J. Neurosci. 37(27), 6539-6557.
    """
    if coding not in CODINGS:
        names = ", ".join(f'"{name}"' for name in CODINGS)
        raise ValueError(f'No coding "{coding}": expected one of {names}.')
    if coding == "published":
        return samples
    rest = is_rest(samples.stimuli)[:, np.newaxis]
    pixels = np.where(rest, 0, samples.stimuli)
    if coding == "rest black":
        return dataclasses.replace(samples, stimuli=pixels)
    on = np.where(rest, 0, ON).astype(np.float32)
    if coding == "on/off":
        return dataclasses.replace(samples, stimuli=on, stimulus_shape=(1,), features=None)
    columns = np.hstack([on, pixels])
    features = columns_of({"on/off": 1, "pixels": pixels.shape[1]})
    return dataclasses.replace(samples, stimuli=columns, stimulus_shape=columns.shape[1:], features=features)


def with_delays(samples, lags, max_lag=None):
    """Pair each response with the stimuli that were on the screen some volumes before it.

    With one lag these are the samples that :func:`load_samples` loads with it. With several, the stimuli of all lags
    stand side by side in a row, and a linear model of them is a finite impulse response model [1]_: each pixel has a
    weight for each lag, and the response is

    ``y[t] = sum over lag and pixel of w[lag, pixel] * x[t - lag, pixel]``.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``.
    lags : sequence of int
        In volumes.
    max_lag : int, optional
        The first ``max_lag`` volumes of each run are left out. Default: the largest of the lags, so that no response
        lacks a stimulus. The same ``max_lag`` makes the scores of different lags comparable: they are of the same
        responses.

    Returns
    -------
    shifted : Samples
        ``stimuli`` has the columns of the first lag, then those of the second, and so on. For several lags,
        ``stimulus_shape`` begins with their number: ``stimuli.reshape(-1, *stimulus_shape)`` are the stimuli of
        each row.

    Raises
    ------
    ValueError
        If there is no lag, one is no whole number or lies outside 0 to ``max_lag``, or less than two samples of a run
        remain.

    References
    ----------
    .. [1] Dale (1999). Optimal experimental design for event-related fMRI. Hum. Brain Mapp. 8(2-3), 109-114.
    """
    run_rows, lags = samples.run_rows, list(lags)
    max_lag = max(lags, default=0) if max_lag is None else max_lag
    for lag in (*lags, max_lag):
        check_whole("lags", lag)
    most = min(map(len, run_rows)) - 2
    if not lags or max(lags) > max_lag or max_lag > most:
        raise ValueError(
            f"lags={lags}, max_lag={max_lag}: expected whole numbers from 0 to max_lag, and max_lag up to {most}, "
            "which leaves two volumes of the shortest run."
        )
    rows = np.concatenate([rows[max_lag:] for rows in run_rows])
    starts = samples.stimuli.shape[1] * np.arange(len(lags))[:, np.newaxis]
    return dataclasses.replace(
        samples.take(rows),
        features=samples.features and {name: (starts + c).ravel() for name, c in samples.features.items()},
        stimuli=np.hstack([samples.stimuli[rows - lag] for lag in lags]),
        stimulus_shape=(len(lags), *samples.stimulus_shape) if len(lags) > 1 else samples.stimulus_shape,
    )


def with_hrf(samples, hrf_model="spm", t_r=2.0, slice_time_ref=0.5):
    """Convolve what was on the screen with a haemodynamic response, in place of a lag.

    A column of features is then what a voxel with this response [1]_ would do, if it followed the column at once. Each
    stimulus is on for the whole of its volume, rest is black, 0, as before the first volume of a run, and no run
    reaches into the next. A stimulus that stays for long is worth what it is without the convolution.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``; also as :func:`recode` returns them.
    hrf_model : {"spm", "glover"} or callable
        A haemodynamic response of nilearn, or one's own, called as ``hrf_model(t_r, oversampling)``.
    t_r : float
        Seconds from volume to volume.
    slice_time_ref : float
        When, as a share of the volume's time, its values were measured, from 0 to 1. What is measured all along, or was
        corrected for slice timing as by fMRIPrep, counts as measured in the middle.

    Returns
    -------
    convolved : Samples
        With other ``stimuli``, float32, in which no row stands for rest any longer.

    Raises
    ------
    ValueError
        If the response, ``t_r`` or ``slice_time_ref`` is none.

    References
    ----------
    .. [1] Friston, Fletcher, Josephs, Holmes, Rugg, Turner (1998). Event-related fMRI: characterizing differential
       responses. NeuroImage 7(1), 30-40.
    """
    if not (callable(hrf_model) or hrf_model in ("spm", "glover")):
        raise ValueError(f'hrf_model={hrf_model!r}: expected "spm", "glover" or a function of t_r and oversampling.')
    if not (isinstance(t_r, Real) and 0 < t_r < math.inf):
        raise ValueError(f"t_r={t_r!r}: expected seconds from volume to volume, above 0.")
    if not (isinstance(slice_time_ref, Real) and 0 <= slice_time_ref <= 1):
        raise ValueError(f"slice_time_ref={slice_time_ref!r}: expected a share of the volume's time, from 0 to 1.")
    run_rows, black = samples.run_rows, recode(samples, "rest black").stimuli
    frame_times = t_r * (np.arange(max(map(len, run_rows))) + slice_time_ref)
    # Stimuli last whole volumes: the response to one of them, volume by volume, loses nothing of nilearn's resolution.
    response, _ = compute_regressor(([0], [t_r], [1]), hrf_model, frame_times)
    stimuli = np.concatenate([lfilter(response[:, 0], 1, black[rows], axis=0) for rows in run_rows])
    return dataclasses.replace(samples, stimuli=stimuli.astype(np.float32))
