"""Ridge regression from pixels to voxels, scored on runs that it has not seen."""

import math

import numpy as np

from ..errors import RecordingError
from .batches import map_chunks, one_thread
from .sums import Sums


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
        raise RecordingError(
            "There is only one run. Whole runs are held out to test on, so there must be at least two."
        )
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
        raise RecordingError(
            f"alpha={alpha}: a ridge penalty is a finite number of at least 0; the published one is 100."
        )


def cross_validate_ridge(samples, alpha=100.0, n_splits=10, n_jobs=None):
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
    n_jobs : int, optional
        How many chunks of voxels are worked on at a time, as in joblib.

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
    folds, solvers = solve_folds(samples, alpha, n_splits)
    pixels = with_constant(samples.stimuli)
    scores = np.empty((len(folds), samples.responses.shape[1]))
    for columns, found in map_chunks(_score_folds, samples.responses, pixels, folds, solvers, n_jobs=n_jobs):
        scores[:, columns] = found
    return scores


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
    folds, solvers = solve_folds(samples, alpha, n_splits)
    pixels = with_constant(samples.stimuli)
    tests, total = Sums.of_folds(pixels, samples.responses[:, voxels], folds)
    predictions = np.empty((len(pixels), len(voxels)))
    for rows, test, solver in zip(folds, tests, solvers, strict=True):
        predictions[rows] = pixels[rows] @ (solver @ (total.xy - test.xy))
    return predictions


def decompose(sums):
    """Directions in which the centred pixels vary, and how much.

    Parameters
    ----------
    sums : Sums
        Of the samples to train on.

    Returns
    -------
    directions : ndarray, shape (n_pixels, n_directions)
        Eigenvectors of the pixels' Gram matrix, one a column. Directions in which the pixels do not vary (a pixel
        that is always black, fewer samples than pixels) are left out: they get no weight, so that a penalty may be
        0.
    variances : ndarray, shape (n_directions,)
        Eigenvalues: sums of squares, not divided by the number of samples.
    """
    xx, _, _ = sums.centred()
    variances, directions = np.linalg.eigh(xx)
    vary = variances > variances[-1] * len(xx) * np.finfo(float).eps
    return directions[:, vary], variances[vary]


def as_r2(residual, test):
    """R2 from sums of squared errors on test samples; 0 for a voxel that does not change within them.

    Parameters
    ----------
    residual : ndarray, shape (..., n_voxels)
    test : Sums
    """
    total = test.yy - test.y**2 / test.n
    # What rounding leaves of a constant voxel's variance is no variance.
    varies = total > 1e-10 * test.yy
    return 1 - np.divide(residual, total, out=np.ones_like(residual), where=varies)


def with_constant(stimuli):
    """The pixels, and one more that is always 1; its weight is the intercept.

    Parameters
    ----------
    stimuli : ndarray, shape (n_samples, n_pixels)

    Returns
    -------
    pixels : ndarray of float64, shape (n_samples, n_pixels + 1)
    """
    return np.column_stack([stimuli, np.ones(len(stimuli))])


@one_thread
def solve_folds(samples, alpha, n_splits):
    """Rows of each fold, and the matrix that turns the products of all other rows into ridge weights and intercept.

    The weights solve ``(X'X + alpha I) W = X'Y`` for centred X and Y. The inverse is the same for all voxels.

    Parameters
    ----------
    samples, alpha, n_splits
        As in :func:`cross_validate_ridge`.

    Returns
    -------
    folds : list of ndarray of int
        As of :func:`whole_run_folds`.
    solvers : list of ndarray, shape (n_pixels + 1, n_pixels + 1)
        For each fold; times ``X'Y`` of all other folds, X with a constant, they are the weights, the intercept last.

    Raises
    ------
    RecordingError
        If ``alpha`` is negative or the runs cannot fill the folds; before anything is computed.
    """
    check_alpha(alpha)
    folds = whole_run_folds(samples.runs, n_splits)
    tests, total = Sums.of_folds(samples.stimuli, samples.responses[:, :0], folds)
    return folds, [_solver(total - test, alpha) for test in tests]


def _solver(train, alpha):
    """The matrix for one training set, shape (n_pixels + 1, n_pixels + 1), the constant last."""
    directions, variances = decompose(train)
    inverse = directions / (variances + alpha) @ directions.T
    mean = train.x / train.n
    # Centring Y takes inverse @ mean from each weight; the intercept makes up for what the mean image would give.
    shift = inverse @ mean
    return np.block([[inverse, -shift[:, np.newaxis]], [-shift, 1 / train.n + mean @ shift]])


def _score_folds(responses, pixels, folds, solvers):
    """Scores of a chunk of voxels, shape (n_splits, n_voxels); the pixels end with a constant."""
    tests, total = Sums.of_folds(pixels, responses, folds)
    scores = []
    for test, solver in zip(tests, solvers, strict=True):
        weights = solver @ (total.xy - test.xy)
        residual = test.yy + np.einsum("pv,pv->v", weights, test.xx @ weights - 2 * test.xy)
        scores.append(as_r2(residual, test))
    return np.stack(scores)
