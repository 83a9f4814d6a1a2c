"""The ridge penalty of each voxel, chosen by cross-validation within cross-validation."""

import itertools
import warnings
from dataclasses import dataclass

import numpy as np

from ..errors import RecordingError
from .batches import map_chunks, one_thread
from .ridge import as_r2, check_alpha, decompose, whole_run_folds, with_constant
from .sums import Sums

#: Penalties to choose from, evenly spaced on a logarithmic scale.
ALPHAS = tuple(np.logspace(0, 5, 20).tolist())
#: A fold to fit to, one to choose on and one to score on.
MIN_FOLDS = 3
#: Voxels whose held-out R2 is above this count as predicted when choices at the ends of the grid are counted.
PREDICTED = 0.1
#: More than this share of choices at one end of the grid is a reason to extend it.
TOO_MANY_AT_EDGE = 0.1


@dataclass(frozen=True)
class AlphaSearch:
    """What a search for each voxel's penalty found.

    Attributes
    ----------
    alphas : ndarray of float64, shape (n_alphas,)
        The penalties, rising.
    curves : ndarray of float64, shape (n_alphas, n_voxels)
        Mean R2 of each penalty on the inner folds.
    chosen : ndarray of float64, shape (n_splits, n_voxels)
        The penalty that was chosen without looking at each outer fold.
    scores : ndarray of float64, shape (n_splits, n_voxels)
        R2 on each outer fold, with that penalty.
    """

    alphas: np.ndarray
    curves: np.ndarray
    chosen: np.ndarray
    scores: np.ndarray


def search_alpha(samples, alphas=ALPHAS, n_splits=10, n_jobs=None):
    """Choose each voxel's ridge penalty and score the choice on runs that it has not seen.

    One fold of whole runs is held out, the outer one. The others take turns as inner folds: the penalty with the
    best mean R2 on them is chosen, the smaller one of equals. The voxel is then fitted with it to all but the outer
    fold, and scored on that fold. A penalty that was chosen on the fold it is scored on would look better than it
    is [1]_.

    For centred pixels X and responses y, the weights of penalty alpha are ``(X'X + alpha I)^-1 X'y``. The scores
    are those of scikit-learn's ``Ridge`` and ``r2_score`` in nested loops, for less: a pair of folds that are left
    out, one as the outer and one as the inner fold, needs one eigendecomposition for all penalties, all voxels and
    both roles.

    Parameters
    ----------
    samples : Samples
    alphas : sequence of float
        The penalties to choose from.
    n_splits : int
        Number of outer folds, at least ``MIN_FOLDS``.
    n_jobs : int, optional
        How many chunks of voxels are worked on at a time, as in joblib.

    Returns
    -------
    search : AlphaSearch

    Warns
    -----
    UserWarning
        If more than a tenth of the choices for well predicted voxels lie at one end of the penalties: a better one
        may lie beyond.

    Raises
    ------
    RecordingError
        If a penalty is negative, there is none, or the runs cannot fill the folds; before anything is computed.

    References
    ----------
    .. [1] Varma, Simon (2006). Bias in error estimation when using cross-validation for model selection. BMC
       Bioinformatics 7, 91.
    """
    alphas = np.unique(np.asarray(alphas, dtype=np.float64))
    if not alphas.size:
        raise RecordingError("alphas is empty: expected the ridge penalties to choose from, such as [1, 10, 100].")
    for alpha in alphas:
        check_alpha(alpha)
    folds = whole_run_folds(samples.runs, n_splits)
    if n_splits < MIN_FOLDS:
        raise RecordingError(
            f"n_splits={n_splits}: a search needs {MIN_FOLDS} folds, to fit, to choose and to score on."
        )
    bases, images = _decompose_without(samples.stimuli, folds), _condense(samples.stimuli, folds)
    n_voxels = samples.responses.shape[1]
    search = AlphaSearch(alphas, *(np.empty((n, n_voxels)) for n in (len(alphas), len(folds), len(folds))))
    chunks = map_chunks(_search_chunk, samples.responses, samples.stimuli, folds, bases, images, alphas, n_jobs=n_jobs)
    for columns, (curves, chosen, scores) in chunks:
        search.curves[:, columns], search.chosen[:, columns], search.scores[:, columns] = curves, chosen, scores
    _warn_at_edge(search)
    return search


@one_thread
def _decompose_without(stimuli, folds):
    """Eigendecompositions of the pixels without each fold and without each pair of folds, by the folds' numbers."""
    tests, total = Sums.of_folds(stimuli, stimuli[:, :0], folds)
    bases = {(fold,): decompose(total - test) for fold, test in enumerate(tests)}
    for first, second in itertools.combinations(range(len(folds)), 2):
        bases[first, second] = decompose(total - tests[first] - tests[second])
    return bases


@one_thread
def _condense(stimuli, folds):
    """For each fold a matrix A with ``A'A = X'X``, X its images and a constant; A has as many rows as X has rank.

    An image stays on the screen for several volumes, so that these are fewer rows than pixels.
    """
    condensed = []
    for rows in folds:
        pixels = with_constant(stimuli[rows])
        squares, directions = np.linalg.eigh(pixels.T @ pixels)
        kept = squares > squares[-1] * len(squares) * np.finfo(float).eps
        condensed.append((directions[:, kept] * np.sqrt(squares[kept])).T)
    return condensed


def _search_chunk(responses, stimuli, folds, bases, images, alphas):
    """Curves, choices and scores of a chunk of voxels."""
    tests, total = Sums.of_folds(stimuli, responses, folds)
    inner = np.zeros((len(folds), len(alphas), responses.shape[1]))  # summed over the inner folds of each outer one
    for first, second in itertools.combinations(range(len(folds)), 2):
        train = total - tests[first] - tests[second]
        held_out = [(tests[fold], images[fold]) for fold in (first, second)]
        as_first, as_second = _score_alphas(train, held_out, *bases[first, second], alphas)
        inner[second] += as_first
        inner[first] += as_second
    inner /= len(folds) - 1
    chosen = alphas[inner.argmax(axis=1)]
    scores = np.empty(chosen.shape)
    for fold, test in enumerate(tests):
        train, (directions, variances) = total - test, bases[fold,]
        along = directions.T @ train.centred()[1]
        weights = directions @ (along / (variances[:, np.newaxis] + chosen[fold]))
        xx, xy, yy = test.centred(around=train)
        scores[fold] = as_r2(yy + np.einsum("pv,pv->v", weights, xx @ weights - 2 * xy), test)
    return inner.mean(axis=0), chosen, scores


def _score_alphas(train, held_out, directions, variances, alphas):
    """R2 of each penalty on each set of test samples, shapes (n_alphas, n_voxels); a set is its sums and its images.

    Along the eigenvectors, ridge divides the product of pixels and responses by variance + alpha: weights are
    ``a = d c``. The squared error on other samples is ``yy - 2 a'q + |P a|^2``, with the products ``q`` of their pixels
    and responses and their condensed images ``P`` along the same vectors.
    """
    along = directions.T @ train.centred()[1]
    shrinkage = 1 / (variances + alphas[:, np.newaxis])
    scores = []
    for test, images in held_out:
        _, xy, yy = test.centred(around=train)
        pixels, constant = images[:, :-1], images[:, -1]
        across = (pixels - np.outer(constant, train.x / train.n)) @ directions
        residual = yy - 2 * shrinkage @ (along * (directions.T @ xy))
        for error, shrink in zip(residual, shrinkage, strict=True):
            predicted = (across * shrink) @ along
            error += np.einsum("iv,iv->v", predicted, predicted)
        scores.append(as_r2(residual, test))
    return scores


def _warn_at_edge(search):
    """Say so when the penalties that were offered end too early."""
    predicted = search.scores.mean(axis=0) > PREDICTED
    if search.alphas.size < 2 or not predicted.any():
        return
    for edge, word in ((search.alphas[0], "smallest"), (search.alphas[-1], "largest")):
        share = (search.chosen[:, predicted] == edge).mean()
        if share > TOO_MANY_AT_EDGE:
            warnings.warn(
                f"{share:.0%} of the choices for well predicted voxels are the {word} penalty, {edge:g}. "
                f"A better one may lie beyond: extend alphas.",
                stacklevel=3,
            )
