"""The sums over samples that linear models need of the data, kept fold by fold.

Once they are added up for each fold, a fold is held out by taking its sums away from the total: ten folds cost one pass
over the samples instead of ten.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sums:
    """Sums over some samples; in float64, because they are subtracted from each other.

    Attributes
    ----------
    n : int
        Number of samples.
    x, y : ndarray, shapes (n_pixels,) and (n_voxels,)
        Sums of the pixels and of the responses.
    xx, xy, yy : ndarray, shapes (n_pixels, n_pixels), (n_pixels, n_voxels) and (n_voxels,)
        Sums of their products; of the responses only with themselves.
    """

    n: int
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @classmethod
    def of(cls, x, y):
        """The sums over the rows of two matrices."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        return cls(len(x), x.sum(0), y.sum(0), x.T @ x, x.T @ y, np.einsum("tv,tv->v", y, y))

    @classmethod
    def of_folds(cls, x, y, folds):
        """The sums of each fold, and their total."""
        sums = [cls.of(x[rows], y[rows]) for rows in folds]
        return sums, sum(sums[1:], start=sums[0])

    def __sub__(self, other):
        return Sums(*(mine - theirs for mine, theirs in zip(self._values(), other._values(), strict=True)))

    def __add__(self, other):
        return Sums(*(mine + theirs for mine, theirs in zip(self._values(), other._values(), strict=True)))

    def _values(self):
        return self.n, self.x, self.y, self.xx, self.xy, self.yy

    def centred(self, around=None):
        """Sums of squares and products around the means: pixels, pixels by voxels, voxels.

        Parameters
        ----------
        around : Sums, optional
            Whose means. Default: those of the same samples.
        """
        means = self if around is None else around
        x, y = means.x / means.n, means.y / means.n
        xx, xy, yy = self.xx - np.outer(self.x, x), self.xy - np.outer(self.x, y), self.yy - self.y * y
        if around is None:
            return xx, xy, yy
        # What the samples' own sums leave around other means.
        rest_x, rest_y = self.x - self.n * x, self.y - self.n * y
        return xx - np.outer(x, rest_x), xy - np.outer(x, rest_y), yy - rest_y * y
