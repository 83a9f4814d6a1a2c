"""Patterns of response to single images, and a model of them that decoders turn around."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf

from ..data.samples import is_rest
from ..errors import RecordingError
from ..models.batches import one_thread
from ..models.ridge import check_alpha, cross_validate_ridge, decompose, predict_ridge, whole_run_folds
from ..models.search import MIN_FOLDS
from ..models.sums import Sums

#: How many voxels make up a pattern.
N_VOXELS = 500


@dataclass(frozen=True)
class PatternModel:
    """A linear Gaussian model: the pattern that an image evokes, how far off it may be, and which images to expect.

    The pattern y of the image x is ``y = b + W'(x - m) + e``, with noise e of mean 0.

    Attributes
    ----------
    voxels : ndarray of int, shape (n_voxels,)
        Columns of the responses that make up a pattern.
    weights : ndarray, shape (n_pixels, n_voxels)
        W, by ridge regression.
    mean_image, mean_pattern : ndarray, shapes (n_pixels,) and (n_voxels,)
        m and b, the means over the training blocks.
    noise : ndarray, shape (n_voxels, n_voxels)
        Covariance of e.
    pixel_mean, pixel_variance : float
        Mean and variance over all pixels of all training images.
    """

    voxels: np.ndarray
    weights: np.ndarray
    mean_image: np.ndarray
    mean_pattern: np.ndarray
    noise: np.ndarray
    pixel_mean: float
    pixel_variance: float

    def predict(self, images):
        """The patterns that images evoke, shape (n_images, n_voxels), from images of shape (n_images, n_pixels)."""
        return self.mean_pattern + (images - self.mean_image) @ self.weights


def average_trials(samples):
    """Average the responses to each image while it is on the screen.

    A block is as many volumes of one run in a row as have the same image; an image that is shown twice without anything
    in between counts as one block. Volumes of rest are left out.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    blocks : Samples
        One row a block.

    Raises
    ------
    RecordingError
        If there is no image, only rest.
    """
    stimuli, runs = samples.stimuli, samples.runs
    changes = (stimuli[1:] != stimuli[:-1]).any(axis=1) | (runs[1:] != runs[:-1])
    starts = np.append(0, np.flatnonzero(changes) + 1)
    lengths = np.diff(np.append(starts, len(stimuli)))
    shown = ~is_rest(stimuli[starts])
    if not shown.any():
        raise RecordingError("There is no image in any run, only rest (-1 throughout); expected images to tell apart.")
    means = np.add.reduceat(samples.responses, starts, axis=0) / lengths[:, np.newaxis].astype(np.float32)
    rows = starts[shown]
    return dataclasses.replace(samples, stimuli=stimuli[rows], responses=means[shown], runs=runs[rows])


def best_voxels(blocks, n_voxels=N_VOXELS, alpha=100.0, n_splits=10, n_jobs=None):
    """The voxels whose responses a ridge model predicts best, by cross-validation within the given blocks.

    Blocks that a decoder is scored on must not be among them: voxels in which chance made the model look good would be
    preferred, and would make it look good again.

    Parameters
    ----------
    blocks : Samples
        Of at least two runs.
    n_voxels : int
        How many voxels; all of them where there are fewer.
    alpha, n_splits, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`; where there are fewer runs than folds, each run is a fold.

    Returns
    -------
    voxels : ndarray of int, shape (n_voxels,)
        Rising.

    Raises
    ------
    RecordingError
        If there are less than two voxels, or the runs cannot fill the folds.
    """
    if n_voxels < 2:
        raise RecordingError(f"n_voxels={n_voxels}: a pattern takes at least 2 voxels.")
    scores = cross_validate_ridge(blocks, alpha, _n_folds(blocks, n_splits), n_jobs).mean(axis=0)
    return np.sort(np.argsort(-scores, kind="stable")[:n_voxels])


@one_thread
def fit_patterns(blocks, voxels, alpha=100.0, n_splits=10):
    """Fit a model of the patterns that images evoke.

    The weights are those of ridge regression. The noise is what they leave of blocks that they were not fitted to, by
    cross-validation: it holds what the weights miss, too. Its covariance is shrunk towards that of equal and
    independent noise, as far as [1]_ find best for so many blocks and voxels; unshrunk, it would be singular for fewer
    blocks than voxels.

    Parameters
    ----------
    blocks : Samples
        Of at least two runs.
    voxels : sequence of int
        Columns of the responses that make up a pattern.
    alpha, n_splits
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
    patterns = blocks.responses[:, voxels].astype(np.float64)
    sums = Sums.of(blocks.stimuli, patterns)
    directions, variances = decompose(sums)
    _, products, _ = sums.centred()
    left = patterns - predict_ridge(blocks, voxels, alpha, _n_folds(blocks, n_splits))
    return PatternModel(
        voxels=np.asarray(voxels),
        weights=directions @ (directions.T @ products / (variances[:, np.newaxis] + alpha)),
        mean_image=sums.x / sums.n,
        mean_pattern=sums.y / sums.n,
        noise=LedoitWolf(store_precision=False).fit(left).covariance_,  # its inverse would take most of the time
        pixel_mean=blocks.stimuli.mean(dtype=np.float64),
        pixel_variance=blocks.stimuli.var(dtype=np.float64),
    )


def fit_without_each_fold(blocks, n_voxels=N_VOXELS, alpha=100.0, n_splits=10, n_jobs=None):
    """Choose voxels and fit a model of their patterns, one fold of whole runs held out at a time.

    Voxels, weights and noise all come from the other folds alone.

    Parameters
    ----------
    blocks : Samples
    n_voxels, alpha, n_jobs
        As in :func:`best_voxels`.
    n_splits : int
        Number of folds, at least ``MIN_FOLDS``: what is left in training needs two runs, to fit and to choose.

    Returns
    -------
    models : list of (ndarray of int, PatternModel)
        The rows of each fold, and the model that has not seen them.

    Raises
    ------
    RecordingError
        If the runs cannot fill the folds, or there are less than two voxels.
    """
    folds = whole_run_folds(blocks.runs, n_splits)
    if n_splits < MIN_FOLDS:
        raise RecordingError(
            f"n_splits={n_splits}: a decoder needs {MIN_FOLDS} folds, to fit, to choose voxels and to score on."
        )
    models = []
    for rows in folds:
        train = _without(blocks, rows)
        voxels = best_voxels(train, n_voxels, alpha, n_splits, n_jobs)
        models.append((rows, fit_patterns(train, voxels, alpha, n_splits)))
    return models


def as_held_out(model):
    """One model for all rows, or the models of :func:`fit_without_each_fold`, as the latter."""
    return [(slice(None), model)] if isinstance(model, PatternModel) else model


def _n_folds(blocks, n_splits):
    return min(n_splits, len(np.unique(blocks.runs)))


def _without(blocks, rows):
    """All other blocks."""
    kept = np.setdiff1d(np.arange(len(blocks.runs)), rows)
    return dataclasses.replace(
        blocks, stimuli=blocks.stimuli[kept], responses=blocks.responses[kept], runs=blocks.runs[kept]
    )
