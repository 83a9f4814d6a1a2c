"""How good a score could be: the share of a voxel's variance that comes back when the stimulus comes back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from ..data.samples import is_rest, load_run_stimuli
from ..errors import RecordingError
from ..models.batches import map_voxels

# Columns of find_trials that say what was on the screen and since when.
_MOMENT = ["stimulus", "volume", "rest"]


@dataclass(frozen=True)
class NoiseCeiling:
    """What the repeats of stimuli tell about each voxel.

    Attributes
    ----------
    r2, error : ndarray of float64, shape (n_voxels,)
        The R2 that a perfect model of the stimulus would reach, and its standard error; below 0 about as often as above
        for a voxel that does not respond, 0 for one that never changes.
    pattern, pattern_error : ndarray of float64, shape (n_voxels,)
        What of ``r2`` a perfect model adds to knowing that, and since when, there is a stimulus.
    repeated : ndarray of bool, shape (n_samples,)
        The samples whose stimulus is shown again; it speaks of them alone.
    """

    r2: np.ndarray
    error: np.ndarray
    pattern: np.ndarray
    pattern_error: np.ndarray
    repeated: np.ndarray

    def of_mean(self, n):
        """The R2, shape (n_voxels,), that a perfect model would reach of the mean response to n repeats.

        What is below 0 by chance stays so, as far below as it would be above: the formula has a pole there.
        """
        size = abs(self.r2)
        return np.sign(self.r2) * n * size / (1 + (n - 1) * size)


def find_trials(samples, stimuli=None):
    """Which trial and which stimulus each sample belongs to, and for how long it has.

    A trial starts with a stimulus and goes on, through the rest after it, until the next stimulus starts. Where stimuli
    have names, each sample is a trial of its own.

    Parameters
    ----------
    samples : Samples
    stimuli : sequence of hashable, length n_samples, optional
        The name of each sample's stimulus, such as ``("film", 17)`` for a moment, and None where there is none.
        Default: equal rows of ``samples.stimuli`` are the same stimulus.

    Returns
    -------
    trials : DataFrame, one row a sample
        ``run``; ``trial``, numbered over all runs; ``stimulus``, the same number for equal ones, -1 before the first of
        a run; ``volume``, counted from 0 at the start of the trial; ``rest``, whether the stimulus is gone.
    """
    if stimuli is not None:
        names = pd.Series(list(stimuli), dtype=object)
        each = dict(trial=range(len(names)), stimulus=pd.factorize(names)[0], volume=0, rest=False)
        return pd.DataFrame({"run": samples.runs, **each})
    rest = is_rest(samples.stimuli)
    changed = np.append(True, (samples.stimuli[1:] != samples.stimuli[:-1]).any(axis=1))
    new_run = np.append(True, samples.runs[1:] != samples.runs[:-1])
    first = np.flatnonzero(new_run | (changed & ~rest))
    trial = np.repeat(np.arange(len(first)), np.diff([*first, len(rest)]))
    _, stimulus = np.unique(samples.stimuli[first], axis=0, return_inverse=True)
    stimulus = np.where(rest[first], -1, stimulus.ravel())[trial]
    volume = np.arange(len(rest)) - first[trial]
    return pd.DataFrame({"run": samples.runs, "trial": trial, "stimulus": stimulus, "volume": volume, "rest": rest})


def find_repeats(recording):
    """The kind of runs of a recording that show stimuli again, from their labels alone.

    Returns
    -------
    kind : str or None
        The first kind that shows a stimulus in two of its runs, ``"random"`` last; None without one, or for events.
    """
    kinds = recording.func if recording.events is None else ()
    for kind in sorted(kinds, key=lambda kind: kind == "random"):
        runs = [run.reshape(len(run), -1) for run in load_run_stimuli(recording, kind)]
        shown = np.concatenate([np.unique(run[~is_rest(run)], axis=0) for run in runs])
        if len(np.unique(shown, axis=0)) < len(shown):
            return kind
    return None


def noise_ceiling(samples, between="run", stimuli=None, n_jobs=None):
    """Estimate for each voxel the R2 of a perfect model, from stimuli that are shown again.

    Responses to the same stimulus in different runs share the signal and no noise, so that their product is, on
    average, the square of the signal (Sahani and Linden 2003, NIPS 15, 125-132). With ``y_t`` for the response at
    sample t, less the mean of its run, and ``m_t`` for the mean response to the same stimulus at the same volume of its
    trial in all *other* runs, ::

        ceiling = sum_t y_t m_t / sum_t y_t^2 ,

    the largest R2 that can be expected of a model (Hsu et al. 2004, Network 15, 91-109; Schoppe et al. 2016, Front.
    Comput. Neurosci. 10, 10) that knows the stimulus of a trial and the time since its onset. The part of the pattern
    is the same sum of products, of responses less the mean of all trials of their run at the same volume. The standard
    error is the jackknife's over stimuli, without its factor (n - 1) / n: with ``c_i`` for the ceiling without
    stimulus i, it is the root of ``sum_i (c_i - ceiling)^2``.

    Parameters
    ----------
    samples : Samples
        Of runs that show the same stimuli again, such as the figure runs. Where each row is a trial, as
        :func:`load_trials` makes them, name the stimuli, such as ``stimuli=list(map(tuple, trials.stimuli))``: equal
        rows that follow each other would be one long trial.
    between : {"run", "trial"}
        What two repeats must not have in common. ``"trial"`` is for recordings that repeat no stimulus in another run:
        slow noise makes trials alike, and the ceiling too high.
    stimuli, n_jobs
        As in :func:`find_trials`, and in :func:`~voxelwise.cross_validate_ridge`.

    Returns
    -------
    ceiling : NoiseCeiling
        A RecordingError if no stimulus is shown in two runs (or trials).
    """
    advice = {
        "run": 'as in the figure runs. For those within a run, see between="trial"',
        "trial": "after others. Where each row is a trial, name its stimulus with stimuli",
    }
    if between not in advice:
        raise ValueError(f'between={between!r}: expected "run" or "trial".')
    trials = find_trials(samples, stimuli)
    repeated = _are_repeated(trials, between)
    if not repeated.any():
        found = f"No stimulus is shown in two of the {trials[between].nunique()} {between}s; expected repeats"
        raise RecordingError(f"{found}, {advice[between]}.")
    found = np.zeros((4, samples.responses.shape[1]))

    def prepare(rows):
        rows[rows] = _are_repeated(trials[rows], between)
        return (rows, trials[rows], between) if rows.any() else None

    for columns, of_batch in map_voxels(prepare, _ceilings, samples, n_jobs=n_jobs):
        found[:, columns] = of_batch
    return NoiseCeiling(*found, repeated)


def _are_repeated(trials, between):
    """Which samples have a partner: the same stimulus, as many volumes after its onset, in another run or trial."""
    n_others = trials.groupby(_MOMENT)[between].transform("nunique")
    return ((trials["stimulus"] >= 0) & (n_others > 1)).to_numpy()


def _ceilings(responses, prepared):
    """Ceilings of a batch of voxels and their errors, all and of the pattern, from the samples that are repeated."""
    rows, trials, between = prepared
    y = responses[rows].astype(np.float64)
    y -= y.mean(axis=0)
    raw = np.einsum("tv,tv->v", y, y)
    y = _less_mean(y, trials, ["run"])
    squares = y**2
    total = squares.sum(axis=0)
    total[total <= 1e-10 * raw] = np.inf  # what rounding leaves of a constant voxel's variance is no variance
    pattern = _less_mean(y, trials, ["run", "volume", "rest"])
    return [*_share(y, squares, total, trials, between), *_share(pattern, squares, total, trials, between)]


def _share(y, squares, total, trials, between):
    """Sum of the products of responses with the mean of their partners, as a share of the total; its standard error."""
    anywhere, n_anywhere = _sum_alike(y, trials, _MOMENT)
    here, n_here = _sum_alike(y, trials, [*_MOMENT, between])
    products = y * (anywhere - here) / (n_anywhere - n_here)
    first = ~trials["stimulus"].duplicated().to_numpy()
    of_stimulus, squares = (_sum_alike(of, trials, ["stimulus"])[0][first] for of in (products, squares))
    share = products.sum(axis=0) / total
    if first.sum() == 1:  # of a single stimulus, none is left to tell how far they scatter
        return share, np.full_like(share, np.nan)
    without = (products.sum(axis=0) - of_stimulus) / (total - squares)
    return share, np.sqrt(((without - share) ** 2).sum(axis=0))


def _less_mean(values, trials, columns):
    """Values, less the mean over all rows that have the same labels."""
    of_group, n = _sum_alike(values, trials, columns)
    return values - of_group / n


def _sum_alike(values, trials, columns):
    """For each row of a matrix, the sum over all rows that have the same labels, and how many these are (a column)."""
    group = trials.groupby(columns).ngroup().to_numpy()
    counts = np.bincount(group)
    members = sparse.csr_array((np.ones(len(group)), (group, np.arange(len(group)))))
    return (members @ values)[group], counts[group, np.newaxis]
