"""Receptive fields: for each voxel, the few pixels that it answers to."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from .batches import map_chunks
from .lasso import fit_lasso
from .ridge import whole_run_folds

#: Folds of the inner cross-validation, scikit-learn's default.
N_SPLITS = 5


def fit_receptive_fields(samples, voxels=None, max_iter=10, n_jobs=None):
    """Estimate sparse receptive fields by the lasso.

    The lasso's penalty on the sum of the absolute weights sets most of them to 0 [1]_. Its strength is chosen for each
    voxel by cross-validation over whole runs, on the path that least-angle regression walks [2]_. The answer is that of
    scikit-learn's ``LassoLarsCV``, for all voxels at once. A voxel that never changes has no field, a pixel that never
    changes no weight, and of identical pixels one stands for all.

    Parameters
    ----------
    samples : Samples
    voxels : sequence of int, optional
        Columns of ``samples.responses``. Default: all.
    max_iter : int
        Steps along the path; a field has at most as many pixels.
    n_jobs : int, optional
        How many chunks of voxels are worked on at a time, as in joblib.

    Returns
    -------
    fields : ndarray of float64, shape (n_voxels, n_rows, n_columns)
        Weights in standard deviations of the response per unit of pixel value: what changes when the pixel turns from
        black (0) to white (1). All pixels are scaled to unit variance for the fit, so that the penalty treats them
        alike, and scaled back after it.

    Raises
    ------
    RecordingError
        If there is only one run.

    References
    ----------
    .. [1] Tibshirani (1996). Regression shrinkage and selection via the lasso. J. R. Stat. Soc. B 58(1), 267-288.
    .. [2] Efron, Hastie, Johnstone, Tibshirani (2004). Least angle regression. Ann. Statist. 32(2), 407-499.
    """
    folds = whole_run_folds(samples.runs, max(2, min(N_SPLITS, np.unique(samples.runs).size)))
    scaler = StandardScaler().fit(samples.stimuli.astype(np.float64))
    pixels = scaler.transform(samples.stimuli.astype(np.float64))
    responses = samples.responses if voxels is None else samples.responses[:, voxels]
    fields = np.empty((responses.shape[1], pixels.shape[1]))
    for columns, (weights, _) in map_chunks(fit_lasso, responses, pixels, folds, max_iter, n_jobs=n_jobs):
        fields[columns] = weights / scaler.scale_
    return fields.reshape(-1, *samples.stimulus_shape)
