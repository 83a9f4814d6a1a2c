"""Ridge regression trained on one kind of stimuli and scored on another."""

from dataclasses import replace

import numpy as np

from ..models.folds import Folds
from ..models.ridge import check_alpha, score_folds


def score_transfer(train_samples, test_samples, alpha=100.0, n_jobs=None):
    """Fit a ridge regression for each voxel to some runs and score it on others.

    Parameters
    ----------
    train_samples, test_samples : Samples
        Of the same voxels, with as many features, and no run in both: such as random and figure runs of one recording.
    alpha, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`.

    Returns
    -------
    scores : ndarray of float64, shape (n_test_runs, n_voxels)
        R2 on each test run; of voxels that do not change within a run, as there.
    """
    check_alpha(alpha)
    both = {}
    for name, what in (("stimuli", "features"), ("responses", "voxels")):
        train, test = getattr(train_samples, name), getattr(test_samples, name)
        if train.shape[1] != test.shape[1]:
            found = f"{train.shape[1]} {what} to train on and {test.shape[1]} to test on"
            raise ValueError(f"{found}: expected the same {what}, as in two kinds of runs of one recording.")
        both[name] = np.concatenate([train, test])
    test_runs = test_samples.runs + 1 + train_samples.runs.max()
    together = replace(train_samples, **both, runs=np.append(train_samples.runs, test_runs))
    test = np.array([together.runs == run for run in np.unique(test_runs)])
    return score_folds(together, Folds(np.broadcast_to(~test.any(axis=0), test.shape), test), alpha, n_jobs)
