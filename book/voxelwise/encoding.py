"""Ridge regression from pixels to voxels, scored on runs that it has not seen.

All that ridge regression needs of the data are sums: of the pixels, of the responses, and of their products. They are
added up once, fold by fold. A fold is then held out by taking its sums away from the total, so that ten folds cost one
pass over the data instead of ten.
"""

import math
from dataclasses import dataclass

import numpy as np

from .errors import RecordingError


def whole_run_folds(runs, n_splits):
    """Divide the samples into folds of whole, consecutive runs.

    Volumes a few seconds apart resemble each other whatever the model. A fold that cut a run in two would be tested on
    neighbours of what it was trained on.

    Parameters
    ----------
    runs : ndarray of int, shape (n_samples,)
        Run of each sample.
    n_splits : int
        Number of folds; where it does not divide the number of runs, the first folds get one run more.

    Returns
    -------
    folds : list of ndarray of int
        Rows of the samples that each fold holds out.

    Raises
    ------
    RecordingError
        If there is only one run, or less than two folds, or more folds than runs.
    """
    numbers = np.unique(runs)
    if numbers.size < 2:
        raise RecordingError("There is only one run. Whole runs are held out to test on, so there must be at least two.")
    if not 2 <= n_splits <= numbers.size or n_splits != int(n_splits):
        raise RecordingError(
            f"n_splits={n_splits}: folds are whole runs, and there are {numbers.size} of them; "
            f"expected a whole number from 2 to {numbers.size}."
        )
    return [np.flatnonzero(np.isin(runs, some)) for some in np.array_split(numbers, n_splits)]


def check_alpha(alpha):
    """Refuse what cannot be a ridge penalty.

    Raises
    ------
    RecordingError
        If ``alpha`` is negative or not finite.
    """
    if not (math.isfinite(alpha) and alpha >= 0):
        raise RecordingError(f"alpha={alpha}: a ridge penalty is a finite number of at least 0; the published one is 100.")


def cross_validate_ridge(samples, alpha=100.0, n_splits=10):
    """Score a ridge regression for each voxel, one fold of whole runs held out at a time.

    The scores are those of scikit-learn's ``Ridge(alpha)`` and ``r2_score`` in a loop over the folds, as in the
    published analysis, except that a voxel that does not change within a fold always scores 0 there.

    Parameters
    ----------
    samples : Samples
    alpha : float
        Penalty on the squared weights; the pixels enter as they are, in units of pixel value.
    n_splits : int
        Number of folds.

    Returns
    -------
    scores : ndarray of float64, shape (n_splits, n_voxels)
        R2, the share of the variance of a fold's responses that is explained: 1 at best, 0 for a prediction as good as
        the fold's mean, below 0 for a worse one.

    Raises
    ------
    RecordingError
        If ``alpha`` is negative or the runs cannot fill the folds; before anything is computed.
    """
    return np.stack([_r2(test, *model) for _, test, model in _held_out_folds(samples, alpha, n_splits)])


def predict_ridge(samples, voxels, alpha=100.0, n_splits=10):
    """Predict each response from a model that has not seen its fold.

    Parameters
    ----------
    samples : Samples
    voxels : sequence of int
        Columns of ``samples.responses``.
    alpha, n_splits
        As in :func:`cross_validate_ridge`.

    Returns
    -------
    predictions : ndarray of float64, shape (n_samples, len(voxels))
    """
    predictions = np.empty((len(samples.stimuli), len(voxels)))
    for rows, _, (weights, intercept) in _held_out_folds(samples, alpha, n_splits, voxels):
        predictions[rows] = samples.stimuli[rows] @ weights + intercept
    return predictions


@dataclass(frozen=True)
class _Sums:
    """Sums over some samples; in float64, because they are subtracted from each other."""

    n: int
    x: np.ndarray  # (n_pixels,)
    y: np.ndarray  # (n_voxels,)
    xx: np.ndarray  # (n_pixels, n_pixels)
    xy: np.ndarray  # (n_pixels, n_voxels)
    yy: np.ndarray  # (n_voxels,)

    @classmethod
    def of(cls, x, y):
        """The sums over the rows of two matrices."""
        x, y = x.astype(np.float64), y.astype(np.float64)
        return cls(len(x), x.sum(0), y.sum(0), x.T @ x, x.T @ y, np.einsum("tv,tv->v", y, y))

    def __sub__(self, other):
        return _Sums(*(mine - theirs for mine, theirs in zip(self._values(), other._values(), strict=True)))

    def __add__(self, other):
        return _Sums(*(mine + theirs for mine, theirs in zip(self._values(), other._values(), strict=True)))

    def _values(self):
        return self.n, self.x, self.y, self.xx, self.xy, self.yy

    def centred(self):
        """Sums of squares and products around the means: pixels, pixels by voxels, voxels."""
        xx = self.xx - np.outer(self.x, self.x) / self.n
        xy = self.xy - np.outer(self.x, self.y) / self.n
        return xx, xy, self.yy - self.y**2 / self.n


def _held_out_folds(samples, alpha, n_splits, voxels=slice(None)):
    """Yield for each fold its rows, its sums, and the model (weights, intercept) of all other rows."""
    check_alpha(alpha)
    folds = whole_run_folds(samples.runs, n_splits)
    sums = [_Sums.of(samples.stimuli[rows], samples.responses[rows][:, voxels]) for rows in folds]
    total = sum(sums[1:], start=sums[0])
    for rows, test in zip(folds, sums, strict=True):
        yield rows, test, _ridge(total - test, alpha)


def _ridge(train, alpha):
    """Weights (n_pixels, n_voxels) and intercept (n_voxels,) from the training sums.

    Solves ``(X'X + alpha I) W = X'Y`` for centred X and Y through the eigenvectors of ``X'X``. Directions in which the
    pixels do not vary (a pixel that is always black, fewer samples than pixels) get no weight, so alpha may be 0.
    """
    xx, xy, _ = train.centred()
    variances, directions = np.linalg.eigh(xx)
    vary = variances > variances[-1] * len(xx) * np.finfo(float).eps
    directions, variances = directions[:, vary], variances[vary]
    weights = directions @ ((directions.T @ xy) / (variances + alpha)[:, np.newaxis])
    return weights, (train.y - train.x @ weights) / train.n


def _r2(test, weights, intercept):
    """R2 of a model's predictions, from the sums of the rows that they are for."""
    xx, xy, total = test.centred()
    offset = test.y - test.x @ weights - test.n * intercept
    residual = total + np.einsum("pv,pv->v", weights, xx @ weights - 2 * xy) + offset**2 / test.n
    # What rounding leaves of a constant voxel's variance is no variance.
    varies = total > 1e-10 * test.yy
    return 1 - np.divide(residual, total, out=np.ones_like(total), where=varies)
