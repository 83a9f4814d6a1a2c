"""Which samples a model is fitted to and which it is scored on: whole runs, or as any splitter of scikit-learn says."""

import warnings
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, check_cv

from ..data.samples import check_whole
from ..errors import RecordingError


class RunKFold(GroupKFold):  # one of its splitters that are handed groups
    """Folds of whole, consecutive runs, as a splitter of scikit-learn.

    Volumes a few seconds apart resemble each other whatever the model, so that no fold may cut a run in two. Unlike
    ``GroupKFold``, it keeps the runs in their order.

    Parameters
    ----------
    n_splits : int
        Number of folds, from 2 to that of the runs; where it does not divide that, the first folds get one run more.
    """

    def __init__(self, n_splits=10):
        self.n_splits = n_splits

    def split(self, X=None, y=None, groups=None):
        """Rows to fit to and rows to score on, fold by fold; ``groups`` are the runs, any labels, as they appear."""
        if groups is None:
            raise ValueError("groups: expected the run of each sample; folds are whole runs.")
        numbers = check_several_runs(groups)
        n_runs = len(np.unique(numbers))
        check_whole("n_splits", self.n_splits, 2, n_runs, f"folds are whole runs, and there are {n_runs} of them; ")
        for some in np.array_split(np.unique(numbers), self.n_splits):
            test = np.isin(numbers, some)
            yield np.flatnonzero(~test), np.flatnonzero(test)


def check_several_runs(runs):
    """Number of the run of each sample, in the order in which they appear; one run alone raises a RecordingError."""
    numbers, labels = pd.factorize(np.asarray(runs))
    if len(labels) < 2:
        raise RecordingError("There is only one run. Whole runs are held out to test on: there must be at least two.")
    return numbers


@dataclass(frozen=True)
class Folds:
    """Which samples each split fits to and scores on."""

    train: np.ndarray  # of bool, (n_splits, n_samples)
    test: np.ndarray

    def __len__(self):
        return len(self.train)

    def within(self, rows=True):
        """The same splits of some samples, given as a mask; what is left untrained has nothing to score."""
        train = self.train & rows
        return Folds(train, self.test & rows & train.any(axis=1, keepdims=True))

    def nested(self):
        """Splits within the first split, the second, and so on: the others, without the samples it scores on."""
        # Two folds that are left out leave the same training set, whichever is the outer one: one eigendecomposition.
        outer, inner = np.nonzero(~np.eye(len(self), dtype=bool))
        return Folds(self.train[outer] & self.train[inner], self.test[inner] & self.train[outer]).within()

    def followed_by(self, others):
        """These splits, and after them the others."""
        return Folds(np.vstack([self.train, others.train]), np.vstack([self.test, others.test]))

    def check_scored(self):
        """Raise a ValueError if a split scores on a single sample: there is no variance to explain."""
        for number in np.flatnonzero(self.test.sum(axis=1) == 1):
            raise ValueError(f"Split {number} scores on a single sample, which has no R2: expected two or more each.")
        return self

    def cut(self, labels):
        """Whether a split puts some samples with a label on one side and some on the other."""
        sides = np.vstack([self.train, self.test])
        return any((sides[:, same] != sides[:, same][:, :1]).any() for same in (labels == u for u in np.unique(labels)))


def draw_folds(cv, runs, X, Y):
    """The splits that ``cv`` stands for: what scikit-learn takes, but that a number is one of folds of whole runs."""
    if runs is not None and (isinstance(cv, Real) or cv is None):
        cv = RunKFold(cv)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored")  # splitters that cut runs may be meant
        splits = list(check_cv(cv).split(X, Y, runs))
    sides = np.zeros((2, len(splits), len(X)), dtype=bool)
    for number, split in enumerate(splits):
        for side, rows in zip(sides, map(np.asarray, split), strict=True):
            side[number, rows if rows.size else slice(0)] = True
            if not side[number].any() or (rows.dtype != bool and side[number].sum() != len(rows)):
                raise ValueError(f"cv={cv}: split {number} names no samples to fit to or to score on, or one twice.")
    if not splits:
        raise ValueError(f"cv={cv}: there is no split.")
    return Folds(*sides)
