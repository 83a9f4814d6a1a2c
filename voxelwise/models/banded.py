"""Banded ridge: a penalty for each feature space and voxel, chosen by cross-validation.

A ridge with a penalty for each space is a ridge with one penalty on columns that were scaled, space by space. So one
set of relative penalties after the other, a *band*, is one search of a common penalty; each voxel keeps the best.
"""

from dataclasses import dataclass

import numpy as np

from .bands import RATIOS, draw_bands, label_columns, penalties_of, scale_columns
from .batches import map_voxels
from .ridge import Design, fill_unknown
from .search import ALPHAS, Penalties, check_alphas, draw_outer_folds


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
            design = Design(stimuli, folds.within(rows).with_nested())
            return Penalties(design, alphas, slice(n_splits, None)), n_splits, spaces

        known = [number for number, bands in enumerate(models) if (bands == band).all(axis=1).any()]
        for columns, (inner, chosen, parts) in map_voxels(prepare, _search_batch, samples, n_jobs=n_jobs):
            inner, chosen = inner[:, np.newaxis], penalties_of(chosen[:, np.newaxis], band[:, np.newaxis])
            for model in known:
                better = inner > best[model][..., columns]
                for kept, new in ((best, inner), (penalties, chosen), (split, parts)):
                    kept[model][..., columns] = np.where(better, new, kept[model][..., columns])
    parts = [fill_unknown(each) for each in split]
    return [BandSearch(*found, part.sum(axis=1), part) for *found, part in zip(penalties, parts, strict=True)]


def _search_batch(responses, prepared):
    """For each of the outer splits: the best score within it, its penalty, and the parts of the score on its fold."""
    penalties, n_splits, spaces = prepared
    inner, chosen, weights, sums = penalties.choose_within(n_splits, responses)
    pairs = zip(weights, penalties.design.tests, strict=False)
    parts = [_split_r2(penalties.design, test, of_split, *sums, spaces) for of_split, test in pairs]
    return inner.max(axis=1), chosen, np.stack(parts)


def _split_r2(design, test, weights, by_row, spreads, spaces):
    """Parts of the R2 on a test set that spaces, masks of columns, have; shape (n_spaces, n_voxels)."""
    rows, (_, variance) = design.test_rows[test], spreads[test]
    counts = design.counts[rows]
    n = max(counts.sum(), 1)
    middle, mean = (counts * design.x[rows]).sum(axis=0) / n, by_row[rows].sum(axis=0) / n
    around, of_features = (design.x[rows] - middle)[:, :-1] @ design.back.T, design.back @ weights[:-1]
    predicted = [around[:, columns] @ of_features[columns] for columns in spaces]
    beyond = 2 * (by_row[rows] - counts * mean) - counts * sum(predicted)
    off = n * (middle @ weights - mean) ** 2 / len(spaces)
    return np.stack([np.einsum("rv,rv->v", part, beyond) - off for part in predicted]) / variance
