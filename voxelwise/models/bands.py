"""Relative penalties of feature spaces: a penalty for each space is one penalty on columns that were scaled."""

import itertools
import math
from numbers import Real

import numpy as np

#: The smallest penalty over that of each space: what is tried, in all combinations.
RATIOS = (1.0, 0.1, 0.0)


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


def penalties_of(alphas, ratios):
    """The penalty of each space."""
    return np.where(ratios > 0, alphas / np.where(ratios > 0, ratios, 1), np.inf)
