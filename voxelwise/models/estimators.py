"""The ridge models as estimators of scikit-learn, on the same solvers as the functions."""

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data.samples import Samples
from .folds import Folds, draw_folds
from .ridge import check_alpha
from .search import ALPHAS, RATIOS, check_alphas, draw_bands, label_columns, map_band


class _Ridge(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What the estimators share: responses in one or two dimensions, predictions and scores."""

    n_jobs, groups, ratios = None, None, (1.0,)  # where an estimator has no such parameter

    def fit(self, X, y, runs=None):
        """Fit the weights of each voxel.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples, n_voxels) or (n_samples,)
            The responses Y.
        runs : array_like, shape (n_samples,), optional
            The run of each sample. A voxel is fitted to those within which it changes. Default: all are one run.
        """
        options = dict(dtype=[np.float64, np.float32], multi_output=True, y_numeric=True, ensure_min_samples=2)
        X, y = validate_data(self, X, y, **options)
        numbers = np.unique(np.zeros(len(X)) if runs is None else runs, return_inverse=True)[1]
        if numbers.shape != (len(X),):
            raise ValueError(f"runs has shape {numbers.shape}; expected one run for each of the {len(X)} samples.")
        samples = Samples(X, y[:, np.newaxis] if y.ndim == 1 else y, numbers, X.shape[1:])
        self.coef_ = np.zeros((samples.responses.shape[1], X.shape[1]))
        self.intercept_ = samples.responses.mean(axis=0, dtype=np.float64)
        self.best_alphas_ = self._fit_bands(samples, runs)
        if y.ndim == 1:
            self.coef_, self.intercept_ = self.coef_[0], float(self.intercept_[0])
        return self

    def _fit_bands(self, samples, runs):
        """Fit each voxel with the best band and penalty, of equals the first; returns the penalty of each space."""
        alphas, folds = self._choices(samples, runs)
        labels = label_columns(self.groups, samples.stimuli.shape[1])
        bands = draw_bands(labels.max() + 1, self.ratios)
        best = np.full(len(self.coef_), -np.inf)
        penalties = np.full((len(bands[0]), len(best)), alphas[0])
        every = np.ones((1, len(samples.runs)), dtype=bool)
        for band in bands:
            found = map_band(_fit_batch, samples, band, labels, alphas, Folds(every, ~every), folds, self.n_jobs)
            for columns, (inner, chosen, coef, intercepts) in found:
                better = inner > best[columns]
                columns = columns[better]
                best[columns], self.intercept_[columns] = inner[better], intercepts[better]
                self.coef_[columns] = coef[better]
                for penalty, ratio in zip(penalties, band, strict=True):
                    penalty[columns] = chosen[better] / ratio if ratio else np.inf
        return penalties

    def _choices(self, samples, runs):
        """The penalties, and the splits that choose among them."""
        return check_alphas(self.alphas), draw_folds(self.cv, runs, samples.stimuli, samples.responses).check_scored()

    def predict(self, X):
        """Responses to features of shape (n_samples, n_features); float64, of as many dimensions as those fitted to."""
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=[np.float64, np.float32]) @ self.coef_.T + self.intercept_

    def score(self, X, y, multioutput="uniform_average", sample_weight=None):
        """R2 on other samples: the mean over voxels, as ``cross_val_score`` wants it; of each by ``"raw_values"``."""
        return r2_score(y, self.predict(X), multioutput=multioutput, sample_weight=sample_weight)


class VoxelwiseRidge(_Ridge):
    """Scikit-learn's ``Ridge``, but that each voxel is fitted to the runs within which it changes.

    Parameters
    ----------
    alpha : float
        Penalty on the squared weights.

    Attributes
    ----------
    coef_ : ndarray of float64, shape (n_voxels, n_features), or (n_features,) for responses of one dimension
    intercept_ : ndarray of float64, shape (n_voxels,), or float
    n_features_in_ : int
    """

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def _choices(self, samples, runs):
        nothing = np.zeros((0, len(samples.runs)), dtype=bool)
        check_alpha(self.alpha)
        return check_alphas(self.alpha), Folds(nothing, nothing)


class VoxelwiseRidgeCV(_Ridge):
    """Ridge regression with a penalty for each voxel, chosen by cross-validation.

    The penalty with the best mean R2 over the splits is chosen, the smaller one of equals.

    Parameters
    ----------
    alphas : sequence of float
        The penalties to choose from. Default: those of :func:`~voxelwise.search_alpha`.
    cv : int, splitter of scikit-learn, or iterable of (train, test)
        A number of folds: of whole consecutive runs where ``runs`` are given to ``fit``, else of consecutive samples.
    n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`.

    Attributes
    ----------
    best_alphas_ : ndarray of float64, shape (n_voxels,)
    coef_, intercept_, n_features_in_
        As of :class:`VoxelwiseRidge`.
    """

    def __init__(self, alphas=ALPHAS, cv=5, n_jobs=None):
        self.alphas = alphas
        self.cv = cv
        self.n_jobs = n_jobs

    def _fit_bands(self, samples, runs):
        return super()._fit_bands(samples, runs)[0]


class BandedRidgeCV(_Ridge):
    """Ridge regression with a penalty for each feature space and voxel, chosen as by :class:`VoxelwiseRidgeCV`.

    For centred features X and responses y, the weights minimise ``|y - Xw|^2 + sum over spaces of a_s |w_s|^2`` (Dupré
    la Tour et al. 2022, NeuroImage 264, 119728). The penalty of a space is ``a_s = alpha / ratio``, and a ratio of 0
    leaves it out. All combinations with the largest ratio are tried with all alphas; of equals, larger ratios win.

    Parameters
    ----------
    groups : dict of str -> array_like of int, optional
        Columns of X that each feature space has, each column in one space. Default: all are one space.
    alphas, cv, n_jobs
        As of :class:`VoxelwiseRidgeCV`.
    ratios : sequence of float
        The smallest penalty over that of each space, relative to the largest ratio. The default, 1, 0.1 and 0, has 5
        combinations for two spaces, 19 for three, 65 for four.

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


def _fit_batch(responses, prepared):
    """Best mean score of a batch of voxels, the penalty that has it, and weights and intercepts with it."""
    penalties, scale, _ = prepared
    design = penalties.design
    by_row, mean, spreads = design.sums(responses)
    (inner,), (chosen,), (weights,) = penalties.choose(by_row, spreads)
    scaled, intercepts = design.of_features(weights, mean)
    coef = np.zeros((len(scale), len(chosen)))
    coef[scale > 0] = scale[scale > 0, np.newaxis] * scaled
    return inner.max(axis=0), chosen, coef.T, intercepts
