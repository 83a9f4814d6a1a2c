"""The lasso for many voxels at once, by least-angle regression: all share the Gram matrix, and walk in step."""

from typing import NamedTuple

import numpy as np

#: Of a pixel's variance, the share that the pixels of a path must leave unexplained for it to join them. Below it
#: the pixel is a copy or a mixture of them, up to rounding.
MIN_NEW_SHARE = 1e-9
#: A path ends at this penalty (per sample and unit of response): what is left is rounding. scikit-learn's value.
MIN_ALPHA = np.finfo(np.float32).eps
#: Numbers that differ by a smaller share are the same up to rounding.
SAME = 1e-10
NO_PIXEL = -1


def fit_lasso(responses, design, grams, max_iter):
    """As ``LassoLarsCV``: weights (n_voxels, n_pixels), those at each knot, and how many steps lead to the penalty."""
    by_row, *_ = design.sums(responses)
    # The splits differ, so that each has sets of its own, in their order; the last one trains on all samples.
    products = design.train_products(by_row)
    *trains, total = [Sums(gram, products(number)) for number, gram in enumerate(grams)]
    walked = [_walk_fold(train, Sums(*map(np.subtract, total, train)), max_iter) for train in trains]
    # The error is piecewise quadratic between the knots of all folds; scikit-learn looks at the knots alone.
    candidates = np.sort(np.concatenate([knots for knots, *_ in walked]), axis=0)
    error = sum(_error_at(candidates, *fold) for fold in walked)
    alphas = np.take_along_axis(candidates, error.argmin(axis=0)[np.newaxis], axis=0)[0]
    knots, weights = np.empty((max_iter + 1, len(alphas))), np.empty((max_iter + 1, *total.xy[:-1].T.shape))
    for step, knot in enumerate(walk_paths(total, max_iter)):
        knots[step], weights[step] = knot
    before, after, share = _locate(alphas[np.newaxis], knots)
    chosen = weights[before] + share[..., np.newaxis] * (weights[after] - weights[before])
    return chosen[0], weights, (before[0] + share)[0]


def _walk_fold(train, test, max_iter):
    """The penalties at the knots of the paths, and what the errors on the test rows are made of."""
    # Between knots k and k + 1 the residuals are (1 - s) r_k + s r_(k+1): the error at any penalty follows from
    # products of residuals at a knot (own) and with those at the next (between). What is the same at all is left out.
    xx, xy = test.centred(train)
    xy, knots, own, between = np.ascontiguousarray(xy.T), [], [], []
    smoothed, on_response = np.zeros_like(xy), np.zeros(len(xy))
    for alphas, weights in walk_paths(train, max_iter):
        with_last = np.einsum("vp,vp->v", smoothed, weights) - on_response
        smoothed, on_response = weights @ xx, np.einsum("vp,vp->v", weights, xy)
        knots.append(alphas)
        own.append(np.einsum("vp,vp->v", smoothed, weights) - 2 * on_response)
        between.append(with_last - on_response)
    return np.array(knots), np.array(own) / test.n, np.array(between[1:]) / test.n


def _error_at(alphas, knots, own, between):
    """Mean squared error of a fold at penalties of shape (n_alphas, n_voxels), less that of no weights at all."""
    before, after, share = _locate(alphas, knots)
    mixed = between[np.minimum(before[0], len(between) - 1), before[1]]
    return (1 - share) ** 2 * own[before] + 2 * share * (1 - share) * mixed + share**2 * own[after]


def _locate(alphas, knots):
    """The knots on both sides of each penalty, as indices, and the share of the way; beyond the ends, these stay."""
    every = np.arange(alphas.shape[1])
    knot = np.maximum((knots[:, np.newaxis] >= alphas).sum(axis=0) - 1, 0)
    before, after = (knot, every), (np.minimum(knot + 1, len(knots) - 1), every)
    gap = knots[before] - knots[after]
    share = np.divide(knots[before] - alphas, gap, out=np.zeros_like(gap), where=gap > 0)
    return before, after, np.clip(share, 0, 1)


class Sums(NamedTuple):
    """Sums of products of pixels, a column of ones and responses, which come centred over all samples for precision."""

    xx: np.ndarray  # (n_pixels + 1, n_pixels + 1)
    xy: np.ndarray  # (n_pixels + 1, n_voxels)

    @property
    def n(self):
        return self.xx[-1, -1]

    def centred(self, around):
        """The same sums of pixels and responses less their means over the samples of ``around``."""
        x = np.vstack([np.eye(len(self.xx) - 1), -around.xx[-1:, :-1] / around.n])  # takes the means from the pixels
        y = around.xy[-1] / around.n
        xy = self.xy - self.xx[:, -1:] * y
        xy = xy[:-1] + np.outer(x[-1], xy[-1])  # x.T @ xy, of which all but the last row is an identity
        return x.T @ self.xx @ x, xy


def walk_paths(sums, max_iter):
    """Penalties and weights (n_voxels, n_pixels) at each knot, the largest penalty first; the next step changes them.

    At any point of a path the pixels in the field are tied: their covariance with what is not yet explained is the
    same in size, and larger than that of any other pixel. The weights move in the direction that keeps the tie,
    until another pixel draws level and joins, or a weight reaches 0 and its pixel drops out.
    """
    gram, products = sums.centred(sums)
    walk = _Walk(gram, products, max_iter)
    for step in range(max_iter + 1):
        if step and walk.running.any():
            walk.join()
            walk.move()
        alphas = walk.level / sums.n
        walk.running &= alphas > MIN_ALPHA  # a path that ends early repeats its last knot
        yield alphas, walk.weights


class _Walk:
    """Where all voxels are on their paths."""

    def __init__(self, gram, products, max_iter):
        self.gram, self.products = gram, np.ascontiguousarray(products.T)
        n_voxels, n_pixels = self.products.shape
        most = min(max_iter, n_pixels) + 1  # a place stays free
        self.weights = np.zeros_like(self.products)
        self.covariance = self.products.copy()
        self.free = np.ones(self.products.shape, dtype=bool)  # pixels that may still join
        self.size = np.zeros(n_voxels, dtype=int)  # how many pixels are in each field
        self.field = np.zeros((n_voxels, most), dtype=int)  # so many are its pixels, and the rest means nothing
        self.inverse = np.zeros((n_voxels, most, most))  # of the Gram matrix of these pixels, and 0 beyond it
        self.next = np.abs(self.covariance).argmax(axis=1)  # the pixel that joins next, or NO_PIXEL
        self.level = np.abs(self.covariance).max(axis=1)  # size of the covariance on which the field's pixels are tied
        self.running = np.ones(n_voxels, dtype=bool)

    def join(self):
        """Take into each field the pixel that has drawn level with it, unless the field explains all its variance."""
        voxels = np.flatnonzero(self.running & (self.next != NO_PIXEL))
        pixels, most = self.next[voxels], self.size.max() + 1
        self.free[voxels, pixels] = False
        with_field = self.gram[self.field[voxels, :most], pixels[:, np.newaxis]]
        mixture = np.einsum("vij,vj->vi", self.inverse[voxels, :most, :most], with_field)
        variance = self.gram[pixels, pixels]
        new = variance - (mixture * with_field).sum(axis=1)
        joins = new > MIN_NEW_SHARE * variance
        voxels, place = voxels[joins], self.size[voxels[joins]]
        # The mixture of the field that is most like the pixel, less the pixel: what the inverse gains is its square.
        beyond = mixture[joins]
        beyond[np.arange(len(voxels)), place] = -1
        self.inverse[voxels, :most, :most] += np.einsum("vi,vj,v->vij", beyond, beyond, 1 / new[joins])
        self.field[voxels, place] = pixels[joins]
        self.size[voxels] += 1

    @np.errstate(divide="ignore", invalid="ignore")
    def move(self):
        """Go on to the next knot."""
        most = self.size.max()
        field, inside = self.field[:, :most], np.arange(most) < self.size[:, np.newaxis]
        signs = np.sign(np.take_along_axis(self.covariance, field, axis=1))
        # The direction in which all of a field's covariances lose 1 of their size for each unit of the way.
        direction = np.einsum("vij,vj->vi", self.inverse[:, :most, :most], signs)
        members = np.nonzero(inside)[0], field[inside]
        towards = np.zeros_like(self.weights)
        towards[members] = direction[inside]
        loss = towards @ self.gram
        rates = self._rates(loss)
        joined = 1 / rates.max(axis=1)
        weights = np.take_along_axis(self.weights, field, axis=1)
        until_zero = np.where(weights * direction < 0, -weights / direction, np.inf)
        way = np.where(self.running, np.minimum(np.minimum(joined, until_zero.min(axis=1)), self.level), 0)
        self.weights[members] += (way[:, np.newaxis] * direction)[inside]
        self.covariance -= way[:, np.newaxis] * loss
        self.level -= way
        self.next = np.where(way == joined, rates.argmax(axis=1), NO_PIXEL)
        for voxel, place in np.argwhere(self.running[:, np.newaxis] & (until_zero == way[:, np.newaxis]))[::-1]:
            self._drop(voxel, place)

    def _rates(self, loss):
        """For each pixel, 1 over the way on which it draws level with the field; 0 where it does not or may not."""
        level = self.level[:, np.newaxis]
        above, below = level - self.covariance, level + self.covariance
        rates = np.maximum((1 - loss) / above, (1 + loss) / below)
        rates[~self.free] = 0
        # One that is level already has just dropped out, or is a copy: it stays outside, unless it would lose less.
        tied = np.nonzero(self.free & (np.minimum(above, below) <= SAME * level))
        lost = loss[tied] * np.sign(self.covariance[tied])
        rates[tied] = np.where(lost < 1 - SAME, np.inf, (1 + lost) / np.maximum(above, below)[tied])
        return rates

    def _drop(self, voxel, place):
        """Let go of a pixel of a voxel; the last one takes its place."""
        last, pixel, inverse = self.size[voxel] - 1, self.field[voxel, place], self.inverse[voxel]
        self.weights[voxel, pixel], self.free[voxel, pixel], self.size[voxel] = 0, True, last
        # Anew, because rounding has added up.
        self.covariance[voxel, pixel] = self.products[voxel, pixel] - self.weights[voxel] @ self.gram[pixel]
        inverse -= np.outer(inverse[place], inverse[place] / inverse[place, place])
        self.field[voxel, place] = self.field[voxel, last]
        inverse[place] = inverse[last]
        inverse[:, place] = inverse[:, last]
        inverse[last] = inverse[:, last] = 0
