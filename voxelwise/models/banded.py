"""Banded ridge: a penalty for each feature space and voxel, chosen by cross-validation.

One set of relative penalties after the other, a *band*, is a search of a common penalty; each voxel keeps the best.
"""

import itertools
import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from .ridge import fill_unknown
from .search import ALPHAS, check_alphas, draw_outer_folds, map_band, search_batch

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

    For centred features X and responses y, the weights minimise ``|y - Xw|^2 + sum over spaces of a_s |w_s|^2`` (Dupré
    la Tour et al. 2022, NeuroImage 264, 119728). The penalty of a space is ``a_s = alpha / ratio``, and a ratio of 0
    leaves the space out. All combinations of ``ratios`` whose largest is the largest of all are tried with all
    ``alphas``, in folds as in :func:`~voxelwise.search_alpha`; of equals, those with larger ratios and the smaller
    alpha are chosen.

    The R2 of a fold is split by the *product measure*: for predictions ``p_s`` of the spaces and responses ``y``, each
    less its mean in the fold, ``sum(p_s * (2 y - sum over spaces of p)) / sum(y**2)``. What it costs that the mean of
    the predictions is off goes to all spaces alike.

    Parameters
    ----------
    samples : Samples
        With named ``features``, as :func:`~voxelwise.stack_features` makes them; without, all are one space.
    alphas : sequence of float
        The penalties to choose from.
    ratios : sequence of float
        The smallest penalty over that of each space; only how they relate to the largest of them matters. Three ratios
        have 5 combinations for two spaces, 19 for three, 65 for four.
    cv, n_jobs
        As in :func:`~voxelwise.search_alpha`.

    Returns
    -------
    search : BandSearch
        Voxels that do not change within a run are treated as in :func:`~voxelwise.cross_validate_ridge`.

    Raises
    ------
    ValueError, RecordingError
        As in :func:`~voxelwise.search_alpha`, or if a ratio is none.
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
        known = [number for number, bands in enumerate(models) if (bands == band).all(axis=1).any()]
        found = map_band(search_batch, samples, band, labels, alphas, folds, folds.nested(), n_jobs)
        for columns, (inner, chosen, parts) in found:
            inner = inner.max(axis=1, keepdims=True)
            chosen = penalties_of(chosen[:, np.newaxis], band)
            for model in known:
                better = inner > best[model][..., columns]
                for kept, new in ((best, inner), (penalties, chosen), (split, parts)):
                    kept[model][..., columns] = np.where(better, new, kept[model][..., columns])
    parts = [fill_unknown(each) for each in split]
    return [BandSearch(*found, part.sum(axis=1), part) for *found, part in zip(penalties, parts, strict=True)]


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


def penalties_of(alphas, band):
    """The penalty of each space, shape (..., n_spaces, n_voxels), from common ones, (..., 1, n_voxels)."""
    with np.errstate(divide="ignore"):
        return alphas / band[:, np.newaxis]
