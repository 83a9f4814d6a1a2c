"""From events at their true times to a design: what each volume could answer to, one row a volume."""

from numbers import Integral

import numpy as np
import pandas as pd
from nilearn.glm.first_level import glover_hrf, spm_hrf
from scipy.integrate import cumulative_trapezoid

#: The haemodynamic responses that have a name.
RESPONSES = {"glover": glover_hrf, "spm": spm_hrf}
RESOLUTION = 0.01  # seconds, at which a response is sampled and integrated


def design_from_events(events, features, n_volumes, t_r, hrf="glover", slice_time_ref=0.5):
    """Features of what was seen, as a response at each volume would follow them.

    With ``h`` for the haemodynamic response, an event that shows the features ``f`` from ``a`` to ``b`` adds, to the
    row of a volume measured at ``t``, ``f`` times the integral of ``h`` from ``t - b`` to ``t - a``; events that
    overlap add up. No onset is moved to a grid. A feature of 1 that stays for long comes to 1.

    Parameters
    ----------
    events : DataFrame, one row an event
        ``onset`` and ``duration`` in seconds from the start of the first volume, and the column for ``features``.
    features : DataFrame or str
        A row for each value of the events' column that its index is named after, or else ``stim_file``; events without
        one, as rest may be, show nothing. Or a column of the events: a feature for each of its values, 1 while shown.
    n_volumes, t_r : int, float
        How many volumes the run has, and how many seconds lie from one to the next.
    hrf : {"glover", "spm"}, callable, sequence of int or None
        A haemodynamic response of nilearn, or one called as ``hrf(t_r, oversampling)``. Or None for the share of a
        volume that an event covers; or delays, for that share so many volumes later, all delays side by side.
    slice_time_ref : float
        When in a volume's time, as a share of it, its values were measured; only for a haemodynamic response.

    Returns
    -------
    design : ndarray of float32, shape (n_volumes, n_features), or (n_volumes, n_delays * n_features)
        A ValueError if an event that shows something has no duration above 0, or does not touch the run; if a feature
        is missing or not finite, or ``hrf`` is none of those above.
    """
    response, delays = as_response(hrf)
    rows, shown = features_of_events(events, features)
    onset, duration = (
        pd.to_numeric(_column(events, name), errors="coerce").to_numpy(float)[shown] for name in ("onset", "duration")
    )
    volumes = np.arange(n_volumes)[:, np.newaxis]
    if response is None:
        covered = np.minimum(onset + duration, t_r * (volumes + 1)) - np.maximum(onset, t_r * volumes)
        shares = np.maximum(covered, 0) / t_r
    else:
        since = t_r * (volumes + slice_time_ref) - onset
        shares = _integral(response, t_r, since) - _integral(response, t_r, since - duration)
    end = t_r * n_volumes
    outside = (onset >= end) | (onset + duration <= 0) & ~shares.any(axis=0)
    lost = ~(duration > 0) | ~np.isfinite(onset + duration) | outside
    if lost.any():
        row = np.flatnonzero(shown)[lost.argmax()]
        raise ValueError(
            f"events: row {row} has the onset {events['onset'].iloc[row]} and the duration "
            f"{events['duration'].iloc[row]}; expected seconds, a duration above 0, and a time within the run, which "
            f"ends at {end:g} s. If it shows nothing that counts, take it out."
        )
    design = shares @ rows[shown]
    late = [np.vstack([np.zeros((delay, design.shape[1])), design])[:n_volumes] for delay in delays]
    return np.hstack(late).astype(np.float32)


def one_column_each(values, column):
    """The table of features that has a column of its own for each value of a column of the events."""
    index = pd.Index(sorted(set(values)), name=column)
    return pd.DataFrame(np.eye(len(index)), index=index, columns=list(index))


def features_of_events(events, features):
    """What each event shows, a row each, 0 for those that show nothing; and which show something."""
    if isinstance(features, str):
        features = one_column_each(_column(events, features).dropna(), features)
    if not isinstance(features, pd.DataFrame):
        kind = type(features).__name__
        raise ValueError(f"features: {kind}; expected a DataFrame of what events show, or the name of a column.")
    if (twice := features.index.duplicated()).any():
        raise ValueError(f"features: {features.index[twice][0]!r} stands in its index twice; expected once.")
    names, index = _column(events, features.index.name or "stim_file"), features.index
    shown = names.notna().to_numpy()
    wanted = names[shown]
    if pd.api.types.is_any_real_numeric_dtype(index):  # what files of events hold is text
        places = index.get_indexer(pd.to_numeric(wanted, errors="coerce"))
    else:
        places = index.astype(str).get_indexer(wanted.astype(str))
    missing = wanted[places < 0].tolist()
    if missing:
        raise ValueError(f'features: no row for {missing[0]!r}, which the events\' column "{names.name}" has.')
    rows = np.zeros((len(events), features.shape[1]))
    try:
        rows[shown] = features.to_numpy(float)[places]
    except ValueError as error:
        raise ValueError(f"features: {error}; expected numbers.") from None
    if not np.isfinite(rows).all():
        raise ValueError(f"features: {rows[~np.isfinite(rows)][0]} among them; expected finite numbers.")
    return rows, shown


def _column(events, name):
    if name not in events:
        raise ValueError(f'events: no column "{name}"; they have {", ".join(map(str, events.columns))}.')
    return events[name]


def as_response(hrf):
    """What ``hrf`` asks for: a function or None, and delays in volumes."""
    if hrf is None or callable(hrf):
        return hrf, [0]
    if isinstance(hrf, str) and hrf in RESPONSES:
        return RESPONSES[hrf], [0]
    if not (np.ndim(hrf) == 1 and len(hrf) and all(isinstance(delay, Integral) and delay >= 0 for delay in hrf)):
        raise ValueError(f"hrf={hrf!r}: expected {[*RESPONSES]}, a function, delays such as [2, 3, 4], or None.")
    return None, list(hrf)


def check_hrf_model(hrf_model):
    """Raise a ValueError unless it is a haemodynamic response."""
    if not (callable(hrf_model) or hrf_model in [*RESPONSES]):
        raise ValueError(f"hrf_model={hrf_model!r}: expected {[*RESPONSES]}, or a function of t_r and oversampling.")


def _integral(response, t_r, times):
    """Integral of a haemodynamic response from 0 to some times in seconds."""
    oversampling = int(np.ceil(t_r / RESOLUTION))
    values = cumulative_trapezoid(response(t_r, oversampling), initial=0)
    return np.interp(times, np.arange(len(values)) * t_r / oversampling, values)
