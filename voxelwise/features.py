"""Other ways to turn the screen into columns: other codings of rest, and stimuli of other lags."""

import dataclasses

import numpy as np

from .data.samples import check_whole, is_rest

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
        ``(n_columns,)``.

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
    columns = on if coding == "on/off" else np.hstack([on, pixels])
    return dataclasses.replace(samples, stimuli=columns, stimulus_shape=columns.shape[1:])


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
    return dataclasses.replace(
        samples.take(rows),
        stimuli=np.hstack([samples.stimuli[rows - lag] for lag in lags]),
        stimulus_shape=(len(lags), *samples.stimulus_shape) if len(lags) > 1 else samples.stimulus_shape,
    )
