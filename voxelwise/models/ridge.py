"""Ridge regression from features to voxels: its algebra, once for all that use it, and scores on unseen runs.

Features and responses are centred over all samples, so that sums of squares keep their digits; then the features get
one more column, which is always 1. Its weight is the intercept, without penalty.
"""

import copy
import functools
import math
from numbers import Real

import numpy as np
from scipy.sparse import csr_array, eye_array

from .batches import call_each, choose_columns, consecutive, map_voxels, number_alike, varies
from .folds import Folds, draw_folds


def check_alpha(alpha):
    """Raise a ValueError unless this can be a ridge penalty."""
    if not (isinstance(alpha, Real) and math.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha={alpha}: a ridge penalty is a finite number of at least 0; the published one is 100.")


def cross_validate_ridge(samples, alpha=100.0, cv=10, n_jobs=None, scoring="r2"):
    """Score a ridge regression for each voxel, one fold of whole runs held out at a time.

    The scores are those of scikit-learn's ``Ridge(alpha)`` and ``r2_score`` in a loop over the splits, as in the
    published analysis, except for voxels that do not change. A voxel that never changes within a run was out of view,
    and is fitted and scored without that run. A split that this leaves empty gets the mean of the others, or 0.

    Parameters
    ----------
    samples : Samples
    alpha : float
        Penalty on the squared weights; the features enter as they are.
    cv : int, splitter of scikit-learn, or iterable of (train, test)
        A number of folds, as :class:`~voxelwise.RunKFold` draws them; or a splitter, whose ``groups`` are the runs.
    n_jobs : int, optional
        How many batches of voxels are worked on at a time, as in joblib. Default: one for each core.
    scoring : {"r2", "r"}
        R2, or Pearson's correlation of prediction and response.

    Returns
    -------
    scores : ndarray of float64, shape (n_splits, n_voxels)
        R2 is 1 at best, 0 for a prediction as good as the fold's mean, below 0 for a worse one. The correlation is 0
        where predictions do not change; :func:`mean_correlation` averages it.

    Raises
    ------
    ValueError, RecordingError
        If ``alpha`` is negative, a number is not finite or the runs cannot fill the folds; if there is only one run.
    """
    check_alpha(alpha)
    folds = draw_folds(cv, samples.runs, samples.stimuli, samples.responses)
    return score_folds(samples, folds, alpha, n_jobs, scoring)


def mean_correlation(r):
    """Average correlations over the first axis, such as that of the folds, by Fisher's z, ``arctanh(r)``; float64.

    Unlike r itself, z scatters as much around a large correlation as around a small one (Fisher 1921, Metron 1, 3-32).

    Parameters
    ----------
    r : ndarray
        Correlations, such as those of shape (n_splits, n_voxels) that :func:`cross_validate_ridge` returns.
    """
    return np.tanh(_fisher_z(r).mean(axis=0))


def _fisher_z(r):
    """Correlations on a scale without ends; a perfect one lies far out, but not at infinity."""
    most = 1 - np.finfo(float).eps
    return np.arctanh(np.clip(r, -most, most))


def predict_ridge(samples, voxels=None, alpha=100.0, cv=10, n_jobs=None):
    """Predict each response from a model that has not seen its fold.

    Parameters
    ----------
    samples : Samples
    voxels : sequence of int or mask of bool, optional
        Columns of ``samples.responses``. Default: all.
    alpha, cv, n_jobs
        As in :func:`cross_validate_ridge`; each sample is to be scored on once.

    Returns
    -------
    predictions : ndarray of float64, shape (n_samples, len(voxels))
        Of a voxel that never changes, its mean.
    """
    check_alpha(alpha)
    folds = draw_folds(cv, samples.runs, samples.stimuli, samples.responses)
    if (folds.test.sum(axis=0) != 1).any():
        raise ValueError(f"cv={cv}: each sample is predicted once, so it is to be in the test set of one split.")
    voxels = choose_columns(voxels, samples.responses.shape[1])
    predictions = np.tile(samples.responses[:, voxels].mean(axis=0, dtype=np.float64), (len(samples.runs), 1))

    def prepare(rows):
        return Predictors(samples.stimuli, Folds(folds.train & rows, folds.test), alpha)

    for columns, predicted in map_voxels(prepare, _predict_batch, samples, voxels, n_jobs):
        predictions[:, columns] = predicted
    return predictions


def score_folds(samples, folds, alpha, n_jobs=None, scoring="r2"):
    """The scores of :func:`cross_validate_ridge`, by splits that are known."""
    if scoring not in ("r2", "r"):
        raise ValueError(f'scoring={scoring!r}: expected "r2" or "r".')
    scores = np.zeros((len(folds.check_scored()), samples.responses.shape[1]))

    def prepare(rows):
        return Predictors(samples.stimuli, folds.within(rows), alpha)

    for columns, found in map_voxels(prepare, functools.partial(_score_batch, scoring), samples, n_jobs=n_jobs):
        scores[:, columns] = found
    return scores


class Basis:
    """Directions in which the samples that a model is fitted to vary, one a column, and how much; from their ``X'X``.

    Those in which they do not are left out: they get no weight, so that a penalty may be 0. The constant comes last.
    """

    def __init__(self, gram):
        means = gram[-1, :-1] / max(gram[-1, -1], 1)
        variances, directions = np.linalg.eigh(gram[:-1, :-1] - np.outer(means, gram[-1, :-1]))
        vary = variances > max(variances[-1], 0) * len(gram) * np.finfo(float).eps
        constant = np.eye(len(gram))[:, -1:]
        directions = directions[:, vary]
        self.directions = np.hstack([np.vstack([directions, -means @ directions]), constant])
        self.variances = np.append(variances[vary], max(gram[-1, -1], 1))

    def shrinkage(self, alpha):
        """What the products along each direction are multiplied by, shape (n_directions,), or (..., n_directions)."""
        penalties = np.multiply.outer(alpha, np.append(np.ones(len(self.variances) - 1), 0))
        return 1 / (self.variances + penalties)

    def solve(self, products, alphas):
        """Weights, the intercept last, from ``X'Y`` and the penalty of each voxel."""
        return self.directions @ (self.shrinkage(alphas).T * (self.directions.T @ products))


def predictor(gram, x, alpha):
    """The matrix from ``X'Y`` of a training set to predictions of the rows of ``x``, with one penalty for all."""
    if alpha > 1e-8 * np.trace(gram):  # to solve is exact enough then, and takes far less time than a basis
        penalised = gram + alpha * np.eye(len(gram))
        penalised[-1, -1] = max(gram[-1, -1], 1)
        return np.linalg.solve(penalised, x.T).T
    basis = Basis(gram)
    return x @ (basis.directions * basis.shrinkage(alpha) @ basis.directions.T)


def rotate(x):
    """Features turned into no more columns than rows, as ridge does not mind; and what turns weights of these back."""
    if x.shape[1] <= len(x):
        return x, eye_array(x.shape[1])
    directions, along = np.linalg.qr(x.T)
    return along.T, directions


class Design:
    """Features and splits, made ready once for all voxels.

    Samples that are alike in their features, as while a stimulus stays on, and on the same sides of all splits make one
    *row*: it holds their mean response and their features, both times the root of their number, so that products of
    rows are sums over samples. All samples on the same sides are a *part*: the products ``X'Y`` are added up for each,
    and those of a training set are the total less the parts that it lacks.
    """

    def __init__(self, stimuli, folds, rotated=True):
        x = np.asarray(stimuli, np.float64)
        self.mean = x.mean(axis=0)
        x = x - self.mean
        sides = np.vstack([folds.train, folds.test]).T
        self.row_of, first = number_alike(np.hstack([sides, x]))  # the row of each sample
        x, self.back = rotate(x[first]) if rotated else (x[first], eye_array(x.shape[1]))
        self.root = np.sqrt(np.bincount(self.row_of))[:, np.newaxis]  # of the samples of each row, (n_rows, 1)
        self.x = self.root * np.column_stack([x, np.ones(len(x))])  # (n_rows, n_columns + 1), centred
        # The training set and the test set of each split; equal ones have one number.
        self.trains, trains = number_alike(folds.train)
        self.tests, tests = number_alike(folds.test)
        trains, tests = folds.train[trains], folds.test[tests]
        self.test_rows = [consecutive(test[first]) for test in tests]
        self._test_samples = list(map(np.flatnonzero, tests))
        part_of, of_part = number_alike(sides)
        self._sizes = np.bincount(part_of).astype(np.float64)
        self._samples = [consecutive(part_of == part) for part in range(len(of_part))]
        self._rows = [consecutive(part_of[first] == part) for part in range(len(of_part))]
        adders = map(self.adder, (self.row_of[samples] for samples in self._samples))
        self._adders = [adder[rows] for adder, rows in zip(adders, self._rows, strict=True)]
        self._test_parts, has = list(map(np.flatnonzero, tests[:, of_part])), trains[:, of_part]
        self._used = np.flatnonzero(has.any(axis=0))
        self._lacking = [np.flatnonzero(~parts) for parts in has[:, self._used]]

    def grams(self):
        """``X'X`` of each training set; made anew, as all of them would take much room where features are many."""
        return list(map(self.train_products(self.x), range(len(self._lacking))))

    @functools.cached_property
    def bases(self):
        """Of each training set."""
        return call_each(Basis, [(gram,) for gram in self.grams()])

    def adder(self, row_of, dtype=np.float64):
        """A matrix that makes rows of samples, shape (n_rows, n_samples)."""
        shares = (1 / self.root[row_of, 0]).astype(dtype)
        return csr_array((shares, (row_of, np.arange(len(row_of)))), (len(self.x), len(row_of)))

    def sums(self, responses):
        """Rows of responses less their mean, (n_rows, n_voxels), that mean, and spreads, (n_test_sets, 2, n_voxels)."""
        # Spreads are sums of squares about 0 and about the test set's mean, the latter NaN where nothing varies.
        # Sums about one of a part's own samples keep the digits of small variances, which sums about 0 would lose.
        # And only a part at a time is float64, so that it stays near the processor.
        by_row, room = (np.empty((n, responses.shape[1])) for n in (len(self.x), int(self._sizes.max())))
        firsts, means, around = np.empty((3, len(self._sizes), responses.shape[1]))
        for part, (samples, rows) in enumerate(zip(self._samples, self._rows, strict=True)):
            y = responses[samples]
            firsts[part] = y[0]
            y = np.subtract(y, firsts[part], out=room[: len(y)])
            by_row[rows] = self._adders[part] @ y
            beyond = self.root[rows, 0] @ by_row[rows] / len(y)
            around[part] = np.einsum("tv,tv->v", y, y) - len(y) * beyond**2
            means[part] = firsts[part] + beyond
        mean = self._sizes[self._used] @ means[self._used] / max(self._sizes[self._used].sum(), 1)
        means -= mean
        for rows, beyond in zip(self._rows, firsts - mean, strict=True):
            by_row[rows] += self.root[rows] * beyond
        spreads = np.empty((len(self._test_parts), 2, responses.shape[1]))
        for (squares, variance), parts in zip(spreads, self._test_parts, strict=True):
            n, of_parts = self._sizes[parts], means[parts]
            middle = n @ of_parts / max(n.sum(), 1)
            variance[:] = around[parts].sum(axis=0) + n @ (of_parts - middle) ** 2
            squares[:] = variance + n.sum() * middle**2
        spreads[:, 1][~varies(responses, self._test_samples)] = np.nan
        return by_row, mean, spreads

    def train_products(self, by_row):
        """A function that makes ``X'Y`` of a training set, given its number, from rows of responses."""
        parts = [self.x[rows].T @ by_row[rows] for rows in (self._rows[part] for part in self._used)]
        total = sum(parts, start=np.zeros((self.x.shape[1], by_row.shape[1]), by_row.dtype))
        return lambda train: functools.reduce(np.subtract, (parts[part] for part in self._lacking[train]), total)

    def of_features(self, weights, mean):
        """Weights of the features (n_features, n_voxels), and intercepts, from those of the columns of ``x``."""
        found = self.back @ weights[:-1]
        return found, mean + weights[-1] - self.mean @ found


class Predictors(Design):
    """A design with one penalty for all voxels: matrices from ``X'Y`` of training sets to predictions of test rows."""

    def __init__(self, stimuli, folds, alpha):
        super().__init__(stimuli, folds)
        grams, pairs = self.grams(), zip(self.trains, self.tests, strict=True)
        splits = [(grams[train], self.x[self.test_rows[test]], alpha) for train, test in pairs]
        self.matrices = call_each(predictor, splits)

    def in_float32(self):
        """Half the digits, twice as fast."""
        half = copy.copy(self)
        half.x = self.x.astype(np.float32)
        half.matrices = [matrix.astype(np.float32) for matrix in self.matrices]
        return half

    def predict(self, by_row):
        """Predictions of the test rows of each split, one after another."""
        products = self.train_products(by_row)
        return (matrix @ products(train) for matrix, train in zip(self.matrices, self.trains, strict=True))

    def r2(self, by_row, spreads):
        """R2 of each split and voxel, shape (n_splits, n_voxels), from rows of responses and the spreads."""
        scores = []
        for predicted, test in zip(self.predict(by_row), self.tests, strict=True):
            squares, variance = spreads[test]
            beyond = -2 * by_row[self.test_rows[test]]
            beyond += predicted
            scores.append(1 - (squares + np.einsum("rv,rv->v", predicted, beyond)) / variance)
        return fill_unknown(np.stack(scores))

    def r(self, by_row, spreads):
        """Pearson's correlation of predictions and responses, likewise."""
        scores = []
        for predicted, test in zip(self.predict(by_row), self.tests, strict=True):
            rows, (_, variance) = self.test_rows[test], spreads[test]
            root = self.root[rows]
            around = predicted - root * ((root.T @ predicted) / max((root**2).sum(), 1))
            spread = (around**2).sum(axis=0)
            # What rounding leaves of a prediction that does not change is no change.
            changes = spread > 1e-20 * (predicted**2).sum(axis=0)
            products = (around * by_row[rows]).sum(axis=0)
            scores.append(np.divide(products, np.sqrt(spread * variance), out=0 * variance, where=changes))
        return np.tanh(fill_unknown(_fisher_z(np.stack(scores))))


def mean_known(scores, axis=0):
    """Mean of scores, those that are NaN left out; 0 where there are no others."""
    known = ~np.isnan(scores)
    return np.where(known, scores, 0).sum(axis=axis) / np.maximum(known.sum(axis=axis), 1)


def fill_unknown(scores):
    """Scores over splits, the first axis, with the mean of the others in place of NaN."""
    return np.where(np.isnan(scores), mean_known(scores), scores)


def _score_batch(scoring, responses, predictors):
    by_row, _, spreads = predictors.sums(responses)
    return getattr(predictors, scoring)(by_row, spreads)


def _predict_batch(responses, design):
    by_row, mean, _ = design.sums(responses)
    predictions = np.empty_like(by_row)
    for predicted, test in zip(design.predict(by_row), design.tests, strict=True):
        predictions[design.test_rows[test]] = predicted
    return (predictions / design.root)[design.row_of] + mean
