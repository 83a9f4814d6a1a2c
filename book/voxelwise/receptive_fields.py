"""Receptive fields: for each voxel, the few pixels that it answers to."""

import warnings

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, LassoLarsCV
from sklearn.preprocessing import StandardScaler

from .encoding import whole_run_folds

#: Folds of the inner cross-validation, scikit-learn's default.
N_SPLITS = 5


def fit_receptive_fields(samples, voxels=None, max_iter=10, n_jobs=None):
    """Estimate sparse receptive fields by the lasso.

    The lasso's penalty on the sum of the absolute weights sets most of them to 0 [1]_. Its strength is chosen for each
    voxel by cross-validation over whole runs, on the path that least-angle regression walks [2]_: scikit-learn's
    ``LassoLarsCV``.

    Parameters
    ----------
    samples : Samples
    voxels : sequence of int, optional
        Columns of ``samples.responses``. Default: all.
    max_iter : int
        Steps along the path; a field has at most as many pixels.
    n_jobs : int, optional
        How many voxels are fitted at a time, as in joblib.

    Returns
    -------
    fields : ndarray of float64, shape (n_voxels, n_rows, n_columns)
        Weights in standard deviations of the response per unit of pixel value: what changes when the pixel turns from
        black (0) to white (1). All pixels are scaled to unit variance for the fit, so that the penalty treats them alike,
        and scaled back after it.

    Raises
    ------
    RecordingError
        If there is only one run.

    References
    ----------
    .. [1] Tibshirani (1996). Regression shrinkage and selection via the lasso. J. R. Stat. Soc. B 58(1), 267-288.
    .. [2] Efron, Hastie, Johnstone, Tibshirani (2004). Least angle regression. Ann. Statist. 32(2), 407-499.
    """
    if voxels is None:
        voxels = range(samples.responses.shape[1])
    folds = whole_run_folds(samples.runs, max(2, min(N_SPLITS, np.unique(samples.runs).size)))
    rows = np.arange(len(samples.runs))
    splits = [(np.setdiff1d(rows, test), test) for test in folds]
    scaler = StandardScaler().fit(samples.stimuli.astype(np.float64))
    pixels = scaler.transform(samples.stimuli.astype(np.float64))
    weights = joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(_lasso)(pixels, samples.responses[:, voxel].astype(np.float64), splits, max_iter)
        for voxel in voxels
    )
    return (np.stack(weights) / scaler.scale_).reshape(-1, *samples.stimulus_shape)


def _lasso(pixels, response, splits, max_iter):
    """Weights of one voxel, per standard deviation of each pixel.

    Where few images repeat, some pixels are copies or mixtures of others, and least-angle regression can break down: it
    stops with an error, or returns huge weights that cancel. The lasso by coordinate descent then takes its place.
    """
    with warnings.catch_warnings():
        # On such pixels a path may also end early, as it should, and says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model = LassoLarsCV(max_iter=max_iter, cv=splits, precompute=True).fit(pixels, response)
        except ValueError:
            return LassoCV(cv=splits).fit(pixels, response).coef_
        # No weights at all would cost half the sum of squares; an optimum cannot have a larger penalty than that.
        penalty = len(response) * model.alpha_ * np.abs(model.coef_).sum()
        if penalty > 0.5 * np.sum((response - response.mean()) ** 2) * (1 + 1e-6):
            model = LassoCV(cv=splits).fit(pixels, response)
        return model.coef_
