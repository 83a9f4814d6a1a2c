"""How much of a score belongs to which feature space?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..models.search import ALPHAS, RATIOS, draw_bands, search_bands


@dataclass(frozen=True)
class VariancePartition:
    """What each feature space explains of each voxel, alone and beside the others.

    The tables have one row a voxel and one column a space; all numbers are means over the outer folds.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_splits, n_voxels)
        R2 of all spaces together, on each outer fold.
    alone : DataFrame
        R2 of a model of this space and no other.
    unique, unique_error : DataFrame
        R2 of all spaces less that of a model without this one: what no other can stand in for; and its standard
        error, from its scatter over the outer folds.
    split : DataFrame
        The part of this space in the predictions of all: these add up to the mean of ``scores``.
    """

    scores: np.ndarray
    alone: pd.DataFrame
    unique: pd.DataFrame
    unique_error: pd.DataFrame
    split: pd.DataFrame


def partition_variance(samples, alphas=ALPHAS, ratios=RATIOS, cv=5, n_jobs=None):
    """Divide what a banded ridge explains of each voxel among its feature spaces.

    Who gets what two spaces can both explain? The *unique* part of a space (de Heer et al. 2017, J. Neurosci. 37,
    6539-6557) has nothing of it, the score of the space *alone* has all. The *split* divides it by the product measure
    (Dupré la Tour et al. 2022, NeuroImage 264, 119728), so that the parts add up: for predictions ``p_s`` of the spaces
    and responses ``y``, each less its mean in the fold, it is ``sum(p_s * (2 y - sum over spaces of p)) / sum(y**2)``,
    less the same share for each space of what it costs that the mean of the predictions is off.

    Parameters
    ----------
    samples : Samples
        With two or more named ``features``, as :func:`~voxelwise.stack_features` makes them.
    alphas, ratios
        As of :class:`~voxelwise.BandedRidgeCV`, for all models alike.
    cv, n_jobs
        As in :func:`~voxelwise.search_alpha`.

    Returns
    -------
    partition : VariancePartition
    """
    names = tuple(samples.features or ())
    if len(names) < 2:
        raise ValueError(f"samples.features has {len(names)} spaces; expected two or more, as of stack_features.")
    single = np.eye(len(names), dtype=bool)
    choices = np.vstack([single.any(axis=0), single, ~single])  # all spaces, each alone, all but each
    models = [draw_bands(some.sum(), ratios) @ single[some] for some in choices]
    split, *others = search_bands(samples, models, alphas, cv, n_jobs)
    scores = split.sum(axis=1)
    alone, without = np.split(np.array([parts.sum(axis=1) for parts in others]), 2)
    unique = scores - without  # (n_spaces, n_splits, n_voxels)
    error = unique.std(axis=1, ddof=1) / np.sqrt(len(scores))
    tables = alone.mean(axis=1), unique.mean(axis=1), error, split.mean(axis=0)
    return VariancePartition(scores, *(pd.DataFrame(parts.T, columns=names) for parts in tables))
