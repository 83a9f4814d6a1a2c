"""Patterns of response to single stimuli, and a model of them that decoders turn around."""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from sklearn.covariance import LedoitWolf

from ..data.samples import check_whole, is_rest
from ..errors import RecordingError
from ..models.batches import choose_columns, one_thread
from ..models.folds import RunKFold, draw_folds
from ..models.ridge import check_alpha, cross_validate_ridge, fit_ridge, predict_ridge
from ..models.search import MIN_FOLDS

#: How many voxels make up a pattern.
N_VOXELS = 500


@dataclass(frozen=True)
class PatternModel:
    """A linear Gaussian model: the pattern that a stimulus evokes, how far off it may be, and which stimuli to expect.

    The pattern y of the stimulus x is ``y = b + W'(x - m) + e``, with noise e of mean 0.

    Attributes
    ----------
    voxels : ndarray of int, shape (n_voxels,)
        Columns of the responses that make up a pattern.
    weights : ndarray, shape (n_pixels, n_voxels)
        W, by ridge regression.
    mean_stimulus, mean_pattern : ndarray, shapes (n_pixels,) and (n_voxels,)
        m and b, the means over the training trials.
    noise : ndarray, shape (n_voxels, n_voxels)
        Covariance of e.
    pixel_mean, pixel_variance : float
        Mean and variance over all pixels of all training stimuli.
    """

    voxels: np.ndarray
    weights: np.ndarray
    mean_stimulus: np.ndarray
    mean_pattern: np.ndarray
    noise: np.ndarray
    pixel_mean: float
    pixel_variance: float

    def predict(self, stimuli):
        """The patterns that stimuli evoke, shape (n_stimuli, n_voxels), from stimuli of shape (n_stimuli, n_pixels)."""
        return self.mean_pattern + (stimuli - self.mean_stimulus) @ self.weights


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
    stimuli, runs = samples.stimuli, samples.runs
    changes = (stimuli[1:] != stimuli[:-1]).any(axis=1) | (runs[1:] != runs[:-1])
    starts = np.append(0, np.flatnonzero(changes) + 1)
    lengths = np.diff(np.append(starts, len(stimuli)))
    shown = ~is_rest(stimuli[starts])
    if not shown.any():
        raise RecordingError("There is no stimulus in any run, only rest (-1 throughout); expected some to tell apart.")
    means = np.add.reduceat(samples.responses, starts, axis=0) / lengths[:, np.newaxis].astype(np.float32)
    rows = starts[shown]
    return replace(samples, stimuli=stimuli[rows], responses=means[shown], runs=runs[rows])


def best_voxels(trials, n_voxels=N_VOXELS, alpha=100.0, cv=10, n_jobs=None):
    """The voxels whose responses a ridge model predicts best, by cross-validation within the given trials.

    Trials that a decoder is scored on must not be among them: voxels in which chance made the model look good would be
    preferred, and would make it look good again.

    Parameters
    ----------
    trials : Samples
        Of at least two runs.
    n_voxels : int
        How many voxels; all of them where there are fewer.
    alpha, cv, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`; where there are fewer runs than folds, each run is a fold.

    Returns
    -------
    voxels : ndarray of int, shape (n_voxels,)
        Rising.

    Raises
    ------
    ValueError
        If ``n_voxels`` is less than two, or the runs cannot fill the folds.
    """
    check_whole("n_voxels", n_voxels, 2)
    scores = cross_validate_ridge(trials, alpha, _at_most(cv, trials), n_jobs).mean(axis=0)
    return np.sort(np.argsort(-scores, kind="stable")[:n_voxels])


@one_thread
def fit_patterns(trials, voxels, alpha=100.0, cv=10):
    """Fit a model of the patterns that stimuli evoke.

    The weights are those of ridge regression. The noise is what they leave of trials that they were not fitted to, by
    cross-validation: it holds what the weights miss, too. Its covariance is shrunk towards that of equal and
    independent noise, as far as [1]_ find best for so many trials and voxels; unshrunk, it would be singular for fewer
    trials than voxels.

    Parameters
    ----------
    trials : Samples
        Of at least two runs.
    voxels : sequence of int or mask of bool
        Columns of the responses that make up a pattern.
    alpha, cv
        As in :func:`best_voxels`.

    Returns
    -------
    model : PatternModel

    References
    ----------
    .. [1] Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, Journal of
       Multivariate Analysis 88, 365-411.
    """
    check_alpha(alpha)
    voxels = choose_columns(voxels, trials.responses.shape[1])
    left = trials.responses[:, voxels] - predict_ridge(trials, voxels, alpha, _at_most(cv, trials))
    weights, intercepts = fit_ridge(trials.stimuli, trials.responses[:, voxels], alpha)
    mean = trials.stimuli.mean(axis=0, dtype=np.float64)
    return PatternModel(
        voxels=voxels,
        weights=weights,
        mean_stimulus=mean,
        mean_pattern=mean @ weights + intercepts,
        noise=LedoitWolf(store_precision=False).fit(left).covariance_,  # its inverse would take most of the time
        pixel_mean=trials.stimuli.mean(dtype=np.float64),
        pixel_variance=trials.stimuli.var(dtype=np.float64),
    )


def fit_without_each_fold(trials, n_voxels=N_VOXELS, alpha=100.0, cv=10, n_jobs=None):
    """Choose voxels and fit a model of their patterns, one fold of whole runs held out at a time.

    Voxels, weights and noise all come from the other folds alone.

    Parameters
    ----------
    trials : Samples
    n_voxels, alpha, n_jobs
        As in :func:`best_voxels`.
    cv : int or splitter of scikit-learn
        Folds of whole runs, at least ``MIN_FOLDS``: what is left in training is split by it again, to fit and to
        choose.

    Returns
    -------
    models : list of (ndarray of int, PatternModel)
        The rows of each fold, and the model that has not seen them.

    Raises
    ------
    ValueError
        If the runs cannot fill the folds, or ``n_voxels`` is less than two.
    """
    folds = draw_folds(cv, trials.runs, trials.stimuli, trials.responses)
    if len(folds) < MIN_FOLDS:
        raise ValueError(f"cv={cv}: a decoder needs {MIN_FOLDS} folds, to fit, to choose voxels and to score on.")
    models = []
    for train_rows, test_rows in zip(folds.train, folds.test, strict=True):
        train = trials.take(rows=train_rows)
        voxels = best_voxels(train, n_voxels, alpha, cv, n_jobs)
        models.append((np.flatnonzero(test_rows), fit_patterns(train, voxels, alpha, cv)))
    return models


def as_held_out(model, n_trials):
    """One model for all trials, or the models of :func:`fit_without_each_fold`, as the latter; one for each trial."""
    if isinstance(model, PatternModel):
        return [(np.arange(n_trials), model)]
    rows = np.sort(np.concatenate([rows for rows, _ in model]))
    if not np.array_equal(rows, np.arange(n_trials)):
        found = f"its {len(model)} folds hold {len(rows)} rows, there are {n_trials} trials"
        raise ValueError(f"model: {found}; expected one for each, as of fit_without_each_fold for the same trials.")
    return model


def _at_most(cv, trials):
    """The same number of folds, or as many as there are runs."""
    cv = cv.n_splits if isinstance(cv, RunKFold) else cv
    return min(cv, max(len(np.unique(trials.runs)), 2)) if isinstance(cv, Real) else cv
