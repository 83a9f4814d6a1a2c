"""Patterns of response to single stimuli, and a model of them that decoders turn around."""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..data.samples import check_whole
from ..models.batches import choose_columns, one_thread
from ..models.estimators import VoxelwiseRidge
from ..models.folds import RunKFold, draw_folds
from ..models.prf import field_weights, fit_prf
from ..models.ridge import cross_validate_ridge, rotate

N_VOXELS = 1000  # that make up a pattern
SHRINKAGES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)  # how far the correlations of the noise may be shrunk


@dataclass(frozen=True)
class PatternModel:
    """A linear Gaussian model: the pattern ``y = b + W'(x - m) + e`` that a stimulus x evokes, with noise e of mean 0.

    Attributes
    ----------
    voxels : ndarray of int, shape (n_voxels,)
        Columns of the responses that make up a pattern.
    weights : ndarray, shape (n_pixels, n_voxels)
        W, a column for each voxel.
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


def best_voxels(trials, n_voxels=N_VOXELS, alpha=None, cv=10, n_jobs=None):
    """The voxels whose responses a model predicts best, within trials that no decoder is scored on.

    Parameters
    ----------
    trials : Samples
        Of at least two runs.
    n_voxels : int
        How many voxels, at least 2; all of them where there are fewer.
    alpha : float, optional
        Penalty of a ridge model, which is cross-validated. Default: the Gaussian field of :func:`~voxelwise.fit_prf`.
    cv, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`; where there are fewer runs than folds, each run is a fold.

    Returns
    -------
    voxels : ndarray of int, shape (n_voxels,), rising
    """
    check_whole("n_voxels", n_voxels, 2)
    if alpha is None:
        scores = fit_prf(trials, n_jobs=n_jobs)["r2"].to_numpy()
    else:
        scores = cross_validate_ridge(trials, alpha, _at_most(cv, trials), n_jobs).mean(axis=0)
    return np.sort(np.argsort(-scores, kind="stable")[:n_voxels])


@one_thread
def fit_patterns(trials, voxels, alpha=None, cv=10, fields=None):
    """Fit a model of the patterns that stimuli evoke.

    The weights are Gaussian fields, or those of ridge regression. The noise is what they leave of held-out trials. Its
    correlations are shrunk by the share, from 0.02 to 0.9, with which the stimuli of held-out trials are reconstructed
    with the smallest squared error.

    Parameters
    ----------
    trials : Samples
        Of at least two runs.
    voxels : sequence of int or mask of bool
        Columns of the responses.
    alpha, cv
        As in :func:`best_voxels`.
    fields : DataFrame, optional
        ``row``, ``column`` and ``size`` of all voxels, where they are known, for an oracle: it fits gains alone.

    Returns
    -------
    model : PatternModel
    """
    voxels = choose_columns(voxels, trials.responses.shape[1])
    if len(voxels) < 2:
        raise ValueError(f"voxels: {len(voxels)} of them; expected two or more, as a pattern has.")
    trials = replace(trials, responses=trials.responses[:, voxels], mask_img=None)
    fields = None if fields is None else fields.iloc[voxels]
    prior = trials.stimuli.mean(dtype=np.float64), trials.stimuli.var(dtype=np.float64)
    folds = draw_folds(_at_most(cv, trials), trials.runs, trials.stimuli, trials.responses)
    fits = [_fit_weights(trials.take(rows=train), alpha, fields) for train in folds.train]
    left = np.full((len(trials.runs), len(voxels)), np.nan)
    for (weights, intercepts), test in zip(fits, folds.test, strict=True):
        left[test] = trials.responses[test] - trials.stimuli[test] @ weights - intercepts
    tested = folds.test.any(axis=0)

    errors = np.zeros(len(SHRINKAGES))
    for (weights, _), test in zip(fits, folds.test, strict=True):
        surprise = left[test] + (trials.stimuli[test] - prior[0]) @ weights
        read = _read_with_each_shrinkage(surprise, weights, left[tested & ~test], *prior)
        errors += [((stimuli - trials.stimuli[test]) ** 2).sum() for stimuli in read]

    weights, intercepts = _fit_weights(trials, alpha, fields)
    mean = trials.stimuli.mean(axis=0, dtype=np.float64)
    noise = shrink_covariance(np.cov(left[tested], rowvar=False), SHRINKAGES[errors.argmin()])
    return PatternModel(voxels, weights, mean, mean @ weights + intercepts, noise, *prior)


def _fit_weights(trials, alpha, fields):
    """Weights and intercepts of a linear model of each voxel, shapes (n_pixels, n_voxels) and (n_voxels,)."""
    if alpha is not None:
        ridge = VoxelwiseRidge(alpha).fit(trials.stimuli, trials.responses)
        return ridge.coef_.T, ridge.intercept_
    if fields is None:
        found = fit_prf(trials)
        return field_weights(found, trials.stimulus_shape), (found["on"] + found["constant"]).to_numpy()
    weights = field_weights(fields.assign(gain=1), trials.stimulus_shape)
    seen, responses = trials.stimuli @ weights, trials.responses
    means = seen.mean(axis=0), responses.mean(axis=0)
    around = seen - means[0]
    products, squares = (around * (responses - means[1])).sum(axis=0), (around**2).sum(axis=0)
    gains = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)  # 0 for a field off the screen
    return gains * weights, means[1] - gains * means[0]


def shrink_covariance(covariance, shrinkage):
    """A covariance with its off-diagonal elements made smaller by a share."""
    return (1 - shrinkage) * covariance + np.diag(shrinkage * _lift(covariance.diagonal()))


def _lift(variances):
    """Variances above 0 by so little that nothing changes but a voxel that never does: it has no noise, and no say."""
    return variances + 1e-6 * variances.max()


def posterior_mean(surprise, weights, noise, mean, variance):
    """The mean of all plausible stimuli, shape (n_trials, n_pixels), when each pixel has this mean and variance before.

    ``surprise``, shape (n_trials, n_voxels), is how patterns differ from that of a screen grey as the mean pixel.
    """
    filters = cho_solve(cho_factor(noise), weights.T).T  # W S^-1
    precision = filters @ weights.T + np.eye(len(weights)) / variance
    return mean + cho_solve(cho_factor(precision), filters @ surprise.T).T


def _read_with_each_shrinkage(surprise, weights, left, mean, variance):
    """Their :func:`posterior_mean` for one shrinkage after the other of the covariance of what is left of trials.

    In units of their deviations, voxels have noise of the same size in all directions, but in those of the few trials:
    by Woodbury's formula, all inverses come from one decomposition.
    """
    sd = np.sqrt(_lift(left.var(axis=0, ddof=1)))
    weights, surprise, left = weights / sd, surprise / sd, (left - left.mean(axis=0)) / sd / np.sqrt(len(left) - 1)
    left = rotate(left.T)[0].T  # in no more rows than voxels
    variances, directions = np.linalg.eigh(left @ left.T)
    along, measured = (each @ left.T @ directions for each in (weights, surprise))
    for shrinkage in SHRINKAGES:
        share = (1 - shrinkage) / ((1 - shrinkage) * variances + shrinkage)
        precision = (weights @ weights.T - along * share @ along.T) / shrinkage + np.eye(len(weights)) / variance
        filtered = (weights @ surprise.T - along * share @ measured.T) / shrinkage
        yield mean + np.linalg.solve(precision, filtered).T


def fit_without_each_fold(trials, n_voxels=N_VOXELS, alpha=None, cv=10, n_jobs=None):
    """Choose voxels and fit a model of their patterns, both without one fold of whole runs at a time.

    Parameters
    ----------
    trials, n_voxels, alpha, n_jobs
        As in :func:`best_voxels`.
    cv : int or splitter of scikit-learn
        Folds of whole runs. What is left in training, two runs or more, is split by it again, to fit and to choose.

    Returns
    -------
    models : list of (ndarray of int, PatternModel)
        The rows of each fold, and the model that has not seen them.
    """
    folds = draw_folds(cv, trials.runs, trials.stimuli, trials.responses)
    models = []
    for train, test in zip(map(trials.take, folds.train), folds.test, strict=True):
        voxels = best_voxels(train, n_voxels, alpha, cv, n_jobs)
        models.append((np.flatnonzero(test), fit_patterns(train, voxels, alpha, cv)))
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
