"""The ridge models as estimators of scikit-learn, on the same solvers as the functions."""

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data.samples import Samples
from .batches import group_by_view, map_voxels
from .folds import draw_folds
from .ridge import Design, check_alpha, fill_unknown, fit_ridge
from .search import ALPHAS, check_alphas, score_penalties


class _Ridge(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What the estimators share: responses in one or two dimensions, predictions and scores."""

    _solve = staticmethod(fit_ridge)  # weights and intercepts from X, Y and what `_choose_penalties` chose for each

    def fit(self, X, y, runs=None):
        """Fit the weights of each voxel.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples, n_voxels) or (n_samples,)
            The responses Y; scikit-learn's own tools call them by a small letter.
        runs : array_like, shape (n_samples,), optional
            The run of each sample. A voxel is then fitted to the runs within which it changes. Default: all are one
            run.

        Returns
        -------
        self
        """
        options = dict(dtype=[np.float64, np.float32], multi_output=True, y_numeric=True, ensure_min_samples=2)
        X, y = validate_data(self, X, y, **options)
        numbers = np.zeros(len(X), dtype=int) if runs is None else np.asarray(runs)
        if numbers.shape != (len(X),):
            raise ValueError(f"runs has shape {numbers.shape}; expected one run for each of the {len(X)} samples.")
        samples = Samples(X, y[:, np.newaxis] if y.ndim == 1 else y, numbers, X.shape[1:])
        chosen = self._choose_penalties(samples, runs)
        intercepts = samples.responses.mean(axis=0, dtype=np.float64)
        weights = np.zeros((len(intercepts), X.shape[1]))
        for columns, rows in group_by_view(samples, samples.responses):
            some = samples.responses[np.ix_(rows, columns)]
            found, intercepts[columns] = self._solve(X[rows], some, chosen[columns])
            weights[columns] = found.T
        self.coef_, self.intercept_ = (weights[0], float(intercepts[0])) if y.ndim == 1 else (weights, intercepts)
        return self

    def predict(self, X):
        """Predict responses.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)

        Returns
        -------
        responses : ndarray of float64, shape (n_samples, n_voxels) or (n_samples,)
        """
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=[np.float64, np.float32]) @ self.coef_.T + self.intercept_

    def score(self, X, y, multioutput="uniform_average"):
        """R2 on other samples.

        ``cross_val_score`` and its like take one number from here, so by default it is the mean over the voxels. Most
        voxels of a brain answer nothing, and then the mean says little: ask for ``"raw_values"``, one R2 a voxel.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
        y : array_like, shape (n_samples, n_voxels) or (n_samples,)
        multioutput : {"uniform_average", "raw_values", "variance_weighted"}
            As in :func:`sklearn.metrics.r2_score`.

        Returns
        -------
        r2 : float, or ndarray of shape (n_voxels,)
        """
        return r2_score(y, self.predict(X), multioutput=multioutput)


class VoxelwiseRidge(_Ridge):
    """Ridge regression with one penalty for all voxels.

    The weights are those of scikit-learn's ``Ridge``; new is that voxels are fitted to the runs within which they
    change.

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

    def _choose_penalties(self, samples, runs):
        check_alpha(self.alpha)
        return np.full(samples.responses.shape[1], float(self.alpha))


class VoxelwiseRidgeCV(_Ridge):
    """Ridge regression with a penalty for each voxel, chosen by cross-validation.

    The penalty with the best mean R2 over the splits is chosen, the smaller one of equals, and the voxel is fitted with
    it to all samples. To score the choice, cross-validate the estimator, or use :func:`~voxelwise.search_alpha`.

    Parameters
    ----------
    alphas : sequence of float
        The penalties to choose from.
    cv : int, splitter of scikit-learn, or iterable of (train, test)
        A number of folds: of whole consecutive runs where ``runs`` are given to ``fit``, of consecutive samples where
        not.
    n_jobs : int, optional
        How many batches of voxels are worked on at a time, as in joblib.

    Attributes
    ----------
    best_alphas_ : ndarray of float64, shape (n_voxels,), or float for responses of one dimension
    cv_scores_ : ndarray of float64, shape (n_alphas, n_voxels)
        Mean R2 of each penalty, the penalties rising.
    coef_, intercept_, n_features_in_
        As of :class:`VoxelwiseRidge`.
    """

    def __init__(self, alphas=ALPHAS, cv=5, n_jobs=None):
        self.alphas = alphas
        self.cv = cv
        self.n_jobs = n_jobs

    def _choose_penalties(self, samples, runs):
        alphas = check_alphas(self.alphas)
        folds = draw_folds(self.cv, runs, samples.stimuli, samples.responses)
        self.cv_scores_ = np.zeros((len(alphas), samples.responses.shape[1]))

        def prepare(rows):
            return Design(samples.stimuli, folds.within(rows)), alphas

        for columns, found in map_voxels(prepare, _score_batch, samples, n_jobs=self.n_jobs):
            self.cv_scores_[:, columns] = found
        self.best_alphas_ = alphas[self.cv_scores_.argmax(axis=0)]
        return self.best_alphas_


def _score_batch(responses, prepared):
    """Mean R2 of each penalty for a batch of voxels."""
    design, alphas = prepared
    by_row, spreads = design.sums(responses)
    scores = score_penalties(design, slice(None), alphas, design.train_products(by_row), by_row, spreads)
    return fill_unknown(scores).mean(axis=0)
