"""Banded ridge: a penalty for each feature space and voxel, chosen by cross-validation.

A ridge with a penalty for each space is a ridge with one penalty on columns that were scaled, space by space. So one
set of relative penalties after the other, a *band*, is one search of a common penalty; each voxel keeps the best.
"""

import itertools
import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from .batches import map_voxels
from .estimators import _Ridge, _score_batch
from .folds import draw_folds
from .ridge import Design, fill_unknown, fit_ridge
from .search import ALPHAS, check_alphas, draw_outer_folds, score_within

#: The smallest penalty over that of each space: what is tried, in all combinations.
RATIOS = (1.0, 0.1, 0.0)


@dataclass(frozen=True)
class BandSearch:
    """What a search for the penalties of each feature space and voxel found.

    Attributes
    ----------
    penalties : ndarray of float64, shape (n_splits, n_spaces, n_voxels)
        Those that were chosen without looking at each outer fold; infinite for a space that was left out.
    scores : ndarray of float64, shape (n_splits, n_voxels)
        R2 on each outer fold, with these penalties.
    split : ndarray of float64, shape (n_splits, n_spaces, n_voxels)
        The part that each space has in these scores; they add up to it.
    """

    penalties: np.ndarray
    scores: np.ndarray
    split: np.ndarray


def search_bands(samples, alphas=ALPHAS, ratios=RATIOS, cv=5, n_jobs=None):
    """Choose a ridge penalty for each feature space and voxel, and score the choice on samples that it has not seen.

    For centred features X and responses y, the weights minimise ``|y - Xw|^2 + sum over spaces of a_s |w_s|^2`` [1]_.
    The penalty of a space is ``a_s = alpha / ratio``, and a ratio of 0 leaves the space out. All combinations of
    ``ratios`` whose largest is the largest of all are tried with all ``alphas``. Folds are held out and take turns
    within as in :func:`~voxelwise.search_alpha`. The penalties with the best mean R2 on the inner folds are chosen; of
    equals those with larger ratios, and the smaller alpha.

    The predictions of the model are a sum over spaces, so the R2 of a fold can be split into parts that add up to it,
    the *product measure* [1]_: for predictions ``p_s`` and responses ``y``, each less its mean in the fold,
    ``sum(p_s * (2 y - sum over spaces of p)) / sum(y**2)``. What it costs that the mean of the predictions is off, if
    it is, goes to all spaces alike.

    Parameters
    ----------
    samples : Samples
        With named ``features``, as :func:`~voxelwise.stack_features` makes them; without, all are one space.
    alphas : sequence of float
        The penalties to choose from.
    ratios : sequence of float
        The smallest penalty over that of each space; only how they relate to the largest of them matters. Three ratios
        have 5 combinations for two spaces, 19 for three, 65 for four.
    cv : int, splitter of scikit-learn, or iterable of (train, test)
        The outer folds, at least 3.
    n_jobs : int, optional
        How many batches of voxels are worked on at a time, as in joblib.

    Returns
    -------
    search : BandSearch
        Voxels that do not change within a run are treated as in :func:`~voxelwise.cross_validate_ridge`.

    Raises
    ------
    ValueError
        If a penalty or ratio is none, or the runs cannot fill the folds; before anything is computed.
    RecordingError
        If there is only one run, and ``cv`` is a number.

    References
    ----------
    .. [1] Dupré la Tour, Eickenberg, Nunez-Elizalde, Gallant (2022). Feature-space selection with banded ridge
       regression. NeuroImage 264, 119728.
    """
    bands = draw_bands(len(samples.features or [None]), ratios)
    return search_models(samples, [bands], alphas, cv, n_jobs)[0]


def search_models(samples, models, alphas, cv, n_jobs=None):
    """Several searches at once, each among bands of its own; a band that several of them know is tried once."""
    alphas = check_alphas(alphas)
    labels = label_columns(samples.features, samples.stimuli.shape[1])
    folds = draw_outer_folds(cv, samples)
    n_splits, n_voxels, n_spaces = len(folds), samples.responses.shape[1], labels.max() + 1
    best = np.full((len(models), n_splits, 1, n_voxels), -np.inf)
    penalties = np.full((len(models), n_splits, n_spaces, n_voxels), alphas[0])
    split = np.zeros(penalties.shape)
    for band in np.unique(np.concatenate(models), axis=0)[::-1]:
        stimuli, there = scale_columns(samples.stimuli, band, labels)
        spaces = np.arange(n_spaces)[:, np.newaxis] == labels[there]

        def prepare(rows, stimuli=stimuli, spaces=spaces):
            return Design(stimuli, folds.within(rows).with_nested()), n_splits, alphas, spaces

        known = [number for number, bands in enumerate(models) if (bands == band).all(axis=1).any()]
        for columns, (inner, chosen, parts) in map_voxels(prepare, _search_batch, samples, n_jobs=n_jobs):
            inner, chosen = inner[:, np.newaxis], _per_space(chosen[:, np.newaxis], band[:, np.newaxis])
            for model in known:
                better = inner > best[model][..., columns]
                for kept, new in ((best, inner), (penalties, chosen), (split, parts)):
                    kept[model][..., columns] = np.where(better, new, kept[model][..., columns])
    parts = [fill_unknown(each) for each in split]
    return [BandSearch(*found, part.sum(axis=1), part) for *found, part in zip(penalties, parts, strict=True)]


class BandedRidgeCV(_Ridge):
    """Ridge regression with a penalty for each feature space and voxel, chosen by cross-validation.

    The penalties with the best mean R2 over the splits are chosen, and the voxel is fitted with them to all samples. To
    score the choice, cross-validate the estimator, or use :func:`~voxelwise.search_bands`, which says what they are
    chosen from.

    Parameters
    ----------
    groups : dict of str -> array_like of int, optional
        Columns of X that each feature space has, each column in one space. Default: all are one space.
    alphas, ratios : sequence of float
        As in :func:`~voxelwise.search_bands`.
    cv, n_jobs
        As of :class:`VoxelwiseRidgeCV`.

    Attributes
    ----------
    best_alphas_ : ndarray of float64, shape (n_spaces, n_voxels)
        Infinite for a space that is left out.
    coef_, intercept_, n_features_in_
        As of :class:`VoxelwiseRidge`.
    """

    def __init__(self, groups=None, alphas=ALPHAS, ratios=RATIOS, cv=5, n_jobs=None):
        self.groups = groups
        self.alphas = alphas
        self.ratios = ratios
        self.cv = cv
        self.n_jobs = n_jobs

    def _choose_penalties(self, samples, runs):
        """The common penalty of each voxel, and its band beside it, shape (n_voxels, 1 + n_spaces)."""
        alphas = check_alphas(self.alphas)
        labels = label_columns(self.groups, samples.stimuli.shape[1])
        bands = draw_bands(labels.max() + 1, self.ratios)
        folds = draw_folds(self.cv, runs, samples.stimuli, samples.responses)
        best = np.full(samples.responses.shape[1], -np.inf)
        chosen = np.tile(np.append(alphas[0], bands[0]), (len(best), 1))
        for band in bands:
            stimuli, _ = scale_columns(samples.stimuli, band, labels)

            def prepare(rows, stimuli=stimuli):
                return Design(stimuli, folds.within(rows)), alphas

            for columns, curves in map_voxels(prepare, _score_batch, samples, n_jobs=self.n_jobs):
                better = curves.max(axis=0) > best[columns]
                columns, curves = columns[better], curves[:, better]
                best[columns] = curves.max(axis=0)
                chosen[columns, 0], chosen[columns, 1:] = alphas[curves.argmax(axis=0)], band
        self.best_alphas_ = _per_space(chosen[:, 0], chosen[:, 1:].T)
        return chosen

    def _solve(self, x, y, chosen):
        """Weights and intercepts, one band after the other."""
        labels = label_columns(self.groups, x.shape[1])
        weights, intercepts = np.zeros((x.shape[1], len(chosen))), np.empty(len(chosen))
        for band in np.unique(chosen[:, 1:], axis=0):
            here = (chosen[:, 1:] == band).all(axis=1)
            scaled, there = scale_columns(x, band, labels)
            found, intercepts[here] = fit_ridge(scaled, y[:, here], chosen[here, 0])
            weights[np.ix_(there, here)] = np.sqrt(band[labels][there])[:, np.newaxis] * found
        return weights, intercepts


def label_columns(features, n_columns):
    """Number of the space of each column; raises a ValueError unless each column is in one space."""
    spaces = [range(n_columns)] if features is None else list(features.values())
    columns = np.concatenate([np.ravel(columns) for columns in spaces])
    if not all(map(len, spaces)) or not np.array_equal(np.sort(columns), np.arange(n_columns)):
        raise ValueError(f"Feature spaces: expected each of the {n_columns} columns in one of them, and in no other.")
    return np.repeat(np.arange(len(spaces)), list(map(len, spaces)))[np.argsort(columns)]


def draw_bands(n_spaces, ratios):
    """All combinations of ratios that have the largest, itself 1, in some space; an array (n_bands, n_spaces)."""
    for ratio in np.ravel(ratios):
        if not (isinstance(ratio, Real) and 0 <= ratio < math.inf):
            raise ValueError(f"ratios: {ratio} is none; expected finite numbers of at least 0, such as [1, 0.1, 0].")
    if not np.max(ratios, initial=0) > 0:
        raise ValueError(f"ratios={ratios}: expected at least one number above 0, such as [1, 0.1, 0].")
    ratios = np.unique(ratios)[::-1] / np.max(ratios)
    return np.array([band for band in itertools.product(ratios, repeat=n_spaces) if max(band) == 1])


def scale_columns(x, band, labels):
    """The columns of spaces that a band does not leave out, scaled for a common penalty; and which these are."""
    there = band[labels] > 0
    return x[:, there] * np.sqrt(band[labels][there]), there


def _per_space(alphas, ratios):
    """The penalty of each space."""
    return np.where(ratios > 0, alphas / np.where(ratios > 0, ratios, 1), np.inf)


def _search_batch(responses, prepared):
    """For each of the outer splits: the best score within it, its penalty, and the parts of the score on its fold."""
    design, n_splits, alphas, spaces = prepared
    by_row, spreads = design.sums(responses)
    products = design.train_products(by_row)
    inner = score_within(design, n_splits, alphas, products, by_row, spreads)
    chosen = alphas[inner.argmax(axis=1)]
    parts = [
        _split_r2(design, test, design.bases[train].solve(products[train], alpha), by_row, spreads, spaces)
        for alpha, train, test in zip(chosen, design.trains, design.tests, strict=False)
    ]
    return inner.max(axis=1), chosen, np.stack(parts)


def _split_r2(design, test, weights, by_row, spreads, spaces):
    """Parts of the R2 on a test set that spaces, masks of columns, have; shape (n_spaces, n_voxels)."""
    rows, (_, variance) = design.test_rows[test], spreads[test]
    counts = design.counts[rows]
    n = max(counts.sum(), 1)
    middle, mean = (counts * design.x[rows]).sum(axis=0) / n, by_row[rows].sum(axis=0) / n
    around = design.x[rows] - middle  # of what is always 1, nothing
    predicted = [around[:, :-1][:, columns] @ weights[:-1][columns] for columns in spaces]
    beyond = 2 * (by_row[rows] - counts * mean) - counts * sum(predicted)
    off = n * (middle @ weights - mean) ** 2 / len(spaces)
    return np.stack([np.einsum("rv,rv->v", part, beyond) - off for part in predicted]) / variance
