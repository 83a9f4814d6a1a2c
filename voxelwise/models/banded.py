"""Banded ridge: each set of relative penalties, a *band*, is a search of a common one; each voxel keeps the best."""

import itertools

import numpy as np

from .ridge import fill_unknown
from .search import check_alphas, draw_outer_folds, map_band, search_batch

#: The smallest penalty over that of each space: what is tried, in all combinations.
RATIOS = (1.0, 0.1, 0.0)


def search_bands(samples, models, alphas, cv, n_jobs=None):
    """Parts of R2 in nested searches among the bands of each model: arrays (n_splits, n_spaces, n_voxels)."""
    alphas = check_alphas(alphas)
    labels = label_columns(samples.features, samples.stimuli.shape[1])
    folds, inner_folds = draw_outer_folds(cv, samples)
    n_splits, n_voxels = len(folds), samples.responses.shape[1]
    best = np.full((len(models), n_splits, 1, n_voxels), -np.inf)
    split = np.zeros((len(models), n_splits, labels.max() + 1, n_voxels))
    for band in np.unique(np.concatenate(models), axis=0)[::-1]:
        known = [number for number, bands in enumerate(models) if (bands == band).all(axis=1).any()]
        found = map_band(search_batch, samples, band, labels, alphas, folds, inner_folds, n_jobs)
        for columns, (inner, _, parts) in found:
            inner = inner.max(axis=1, keepdims=True)
            for model in known:
                better = inner > best[model][..., columns]
                for kept, new in ((best, inner), (split, parts)):
                    kept[model][..., columns] = np.where(better, new, kept[model][..., columns])
    return [fill_unknown(parts) for parts in split]


def label_columns(features, n_columns):
    """Number of the space of each column; raises a ValueError unless each column is in one space."""
    spaces = [range(n_columns)] if not features else list(map(np.ravel, features.values()))
    columns = np.concatenate([np.ravel(columns) for columns in spaces])
    if not all(map(len, spaces)) or not np.array_equal(np.sort(columns), np.arange(n_columns)):
        raise ValueError(f"Feature spaces: expected each of the {n_columns} columns in one of them, and in no other.")
    return np.repeat(np.arange(len(spaces)), list(map(len, spaces)))[np.argsort(columns)]


def draw_bands(n_spaces, ratios):
    """All combinations of ratios that have the largest, itself 1, in some space; an array (n_bands, n_spaces)."""
    if np.min(ratios) < 0 or np.max(ratios) == 0:
        raise ValueError(f"ratios={ratios}: expected numbers of at least 0, and one above 0, such as [1, 0.1, 0].")
    ratios = np.unique(ratios)[::-1] / np.max(ratios)
    return np.array([band for band in itertools.product(ratios, repeat=n_spaces) if max(band) == 1])
