"""The ridge penalty of each voxel, chosen by cross-validation within cross-validation."""

import warnings
from dataclasses import dataclass

import numpy as np

from .batches import map_voxels
from .folds import draw_folds
from .ridge import Design, check_alpha, fill_unknown

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


def check_alphas(alphas):
    """The penalties, rising and each once; raises a ValueError if there is none, or one is none."""
    for alpha in np.ravel(alphas):
        check_alpha(alpha)
    if not np.size(alphas):
        raise ValueError("alphas is empty: expected the ridge penalties to choose from, such as [1, 10, 100].")
    return np.unique(np.asarray(alphas, dtype=np.float64))


def draw_outer_folds(cv, samples):
    """The splits that ``cv`` stands for, if the others can take turns within each of them."""
    folds = draw_folds(cv, samples.runs, samples.stimuli, samples.responses)
    n_splits = len(folds)
    if n_splits < MIN_FOLDS or not folds.nested().test.any(axis=1).reshape(n_splits, -1).any(axis=1).all():
        raise ValueError(f"cv={cv}: a search needs {MIN_FOLDS} folds, to fit, to choose and to score on.")
    return folds


def search_alpha(samples, alphas=ALPHAS, cv=10, n_jobs=None):
    """Choose each voxel's ridge penalty and score the choice on samples that it has not seen.

    One fold of whole runs is held out, the outer one. The others take turns as inner folds: the penalty with the
    best mean R2 on them is chosen, the smaller one of equals. The voxel is then fitted with it to all but the outer
    fold, and scored on that fold. A penalty that was chosen on the fold it is scored on would look better than it
    is [1]_.

    For centred features X and responses y, the weights of penalty alpha are ``(X'X + alpha I)^-1 X'y``. The scores
    are those of scikit-learn's ``Ridge`` and ``r2_score`` in nested loops, for less: a pair of folds that are left
    out, one as the outer and one as the inner fold, needs one eigendecomposition for all penalties, all voxels and
    both roles.

    Parameters
    ----------
    samples : Samples
    alphas : sequence of float
        The penalties to choose from.
    cv : int, splitter of scikit-learn, or iterable of (train, test)
        The outer folds, at least ``MIN_FOLDS``, as in :func:`~voxelwise.cross_validate_ridge`. Of other splits, too,
        the rest take turns within each, without the samples that it scores on.
    n_jobs : int, optional
        How many batches of voxels are worked on at a time, as in joblib.

    Returns
    -------
    search : AlphaSearch
        Voxels that do not change within a run are treated as in :func:`~voxelwise.cross_validate_ridge`; one that never
        changes has the smallest penalty.

    Warns
    -----
    UserWarning
        If more than a tenth of the choices for well predicted voxels lie at one end of the penalties: a better one
        may lie beyond.

    Raises
    ------
    ValueError
        If a penalty is negative, there is none, or the runs cannot fill the folds; before anything is computed.
    RecordingError
        If there is only one run, and ``cv`` is a number.

    References
    ----------
    .. [1] Varma, Simon (2006). Bias in error estimation when using cross-validation for model selection. BMC
       Bioinformatics 7, 91.
    """
    alphas = check_alphas(alphas)
    folds = draw_outer_folds(cv, samples)
    n_splits, n_voxels = len(folds), samples.responses.shape[1]

    def prepare(rows):
        return Design(samples.stimuli, folds.within(rows).with_nested()), n_splits, alphas

    curves, chosen, scores = (np.zeros((n, n_voxels)) for n in (len(alphas), n_splits, n_splits))
    chosen += alphas[0]
    for columns, found in map_voxels(prepare, _search_batch, samples, n_jobs=n_jobs):
        curves[:, columns], chosen[:, columns], scores[:, columns] = found
    search = AlphaSearch(alphas, curves, chosen, scores)
    _warn_at_edge(search)
    return search


def _search_batch(responses, prepared):
    """Curves, choices and scores of a batch; of the design's splits, the outer ones come first."""
    design, n_splits, alphas = prepared
    by_row, spreads = design.sums(responses)
    products = design.train_products(by_row)
    inner = score_within(design, n_splits, alphas, products, by_row, spreads)
    chosen = alphas[inner.argmax(axis=1)]
    predictions = [
        design.x[design.test_rows[test]] @ design.bases[train].solve(products[train], alpha)
        for alpha, train, test in zip(chosen, design.trains, design.tests, strict=False)
    ]
    return inner.mean(axis=0), chosen, design.r2(predictions, by_row, spreads)


def score_within(design, n_splits, alphas, products, by_row, spreads):
    """Mean R2 of each penalty on the splits within each of the first, shape (n_splits, n_alphas, n_voxels)."""
    inner = score_penalties(design, slice(n_splits, None), alphas, products, by_row, spreads)
    return np.stack([fill_unknown(some).mean(axis=0) for some in inner.reshape(n_splits, -1, *inner.shape[1:])])


def score_penalties(design, splits, alphas, products, by_row, spreads):
    """R2 of each split, penalty and voxel, shape (n_splits, n_alphas, n_voxels); NaN where there is nothing to score.

    Along the directions of the training samples, the weights of a penalty are products times shrinkage, ``a = s c``.
    The squared error on test samples is ``yy - 2 a'q + |P a|^2``, with their features ``P`` and the products ``q`` of
    features and responses along the same directions. Of ``P`` only ``P'P`` matters, so that it needs no more rows than
    columns.
    """
    trains, tests = design.trains[splits], design.tests[splits]
    roots = [np.linalg.qr(np.sqrt(design.counts[rows]) * design.x[rows], mode="r") for rows in design.test_rows]
    scores = np.empty((len(trains), len(alphas), by_row.shape[1]))
    for train in np.unique(trains):
        basis = design.bases[train]
        along, shrinkage = basis.directions.T @ products[train], basis.shrinkage(alphas)
        for split in np.flatnonzero(trains == train):
            rows, (squares, variance) = design.test_rows[tests[split]], spreads[tests[split]]
            across = roots[tests[split]] @ basis.directions
            on_test = basis.directions.T @ (design.x[rows].T @ by_row[rows])
            residual = squares - 2 * shrinkage @ (along * on_test)
            for error, shrink in zip(residual, shrinkage, strict=True):
                predicted = (across * shrink) @ along
                error += np.einsum("rv,rv->v", predicted, predicted)
            scores[split] = 1 - residual / variance
    return scores


def _warn_at_edge(search):
    """Say so when the penalties that were offered end too early."""
    predicted = search.scores.mean(axis=0) > PREDICTED
    if search.alphas.size < 2 or not predicted.any():
        return
    for edge, word in ((search.alphas[0], "smallest"), (search.alphas[-1], "largest")):
        share = (search.chosen[:, predicted] == edge).mean()
        if share > TOO_MANY_AT_EDGE:
            found = f"{share:.0%} of the choices for well predicted voxels are the {word} penalty, {edge:g}."
            warnings.warn(f"{found} A better one may lie beyond: extend alphas.", stacklevel=3)
