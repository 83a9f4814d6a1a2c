"""Receptive fields: for each voxel, the few pixels that it answers to."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from ..data.samples import check_whole
from .batches import choose_columns, map_voxels
from .folds import Folds, check_several_runs, draw_folds
from .lasso import fit_lasso
from .ridge import Design

#: Folds of the inner cross-validation, scikit-learn's default.
N_SPLITS = 5


def fit_receptive_fields(samples, voxels=None, max_iter=10, n_jobs=None):
    """Estimate sparse receptive fields by the lasso.

    The lasso's penalty on the sum of the absolute weights sets most of them to 0 (Tibshirani 1996, J. R. Stat. Soc. B
    58, 267-288). Its strength is chosen for each voxel by cross-validation over whole runs, on the path that
    least-angle regression walks (Efron et al. 2004, Ann. Statist. 32, 407-499), as in ``LassoLarsCV``. Of identical
    pixels one stands for all. Runs within which a voxel does not change are left out; with less than two, all is 0.

    Parameters
    ----------
    samples, voxels, n_jobs
        As in :func:`~voxelwise.predict_ridge`.
    max_iter : int
        Steps along the path; a field has at most as many pixels.

    Returns
    -------
    fields : ndarray of float64, shape (n_voxels, n_rows, n_columns)
        In standard deviations of the response per unit of pixel value; fitted to pixels that are scaled alike.
    """
    check_several_runs(samples.runs)
    voxels = choose_columns(voxels, samples.responses.shape[1])
    fields = np.zeros((len(voxels), samples.stimuli.shape[1]))
    for columns, found in map_voxels(_preparer(samples, max_iter), _fit_batch, samples, voxels, n_jobs):
        fields[columns] = found
    return fields.reshape(-1, *samples.stimulus_shape)


def walk_receptive_fields(samples, voxels, max_iter=10):
    """Fields after each step, (max_iter + 1, n_voxels, n_rows, n_columns); how many steps lead to the chosen one."""
    paths = np.zeros((max_iter + 1, len(voxels), samples.stimuli.shape[1]))
    chosen = np.zeros(len(voxels))
    for columns, found in map_voxels(_preparer(samples, max_iter), _walk_batch, samples, np.asarray(voxels)):
        paths[:, columns], chosen[columns] = found
    return paths.reshape(*paths.shape[:2], *samples.stimulus_shape), chosen


def _preparer(samples, max_iter):
    """What makes the samples in which a voxel changes ready for its batch."""
    check_whole("max_iter", max_iter, 1)

    def prepare(rows):
        runs, pixels = samples.runs[rows], samples.stimuli[rows].astype(np.float64)
        n_splits = min(N_SPLITS, len(np.unique(runs)))
        if n_splits < 2:
            return None
        scaler, every = StandardScaler().fit(pixels), np.ones((1, len(runs)), dtype=bool)
        folds = draw_folds(n_splits, runs, pixels, pixels).followed_by(Folds(every, ~every))
        design = Design(scaler.transform(pixels), folds, rotated=False)  # the lasso, unlike ridge, minds rotations
        return rows, scaler.scale_, (design, design.grams(), max_iter)

    return prepare


def _fit_batch(responses, prepared):
    rows, scale, how = prepared
    weights, *_ = fit_lasso(responses if rows.all() else responses[rows], *how)
    return weights / scale


def _walk_batch(responses, prepared):
    rows, scale, how = prepared
    _, paths, steps = fit_lasso(responses[rows], *how)
    return paths / scale, steps
