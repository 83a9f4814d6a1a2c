"""Ridge regression scored on runs of one's choice: after learning from another kind of runs, or from few and many."""

from dataclasses import replace

import numpy as np

from ..data.samples import check_whole
from ..models.folds import Folds
from ..models.ridge import check_alpha, score_folds
from .permutation import check_generator


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
    for part in ("stimuli", "responses"):
        n_train, n_test = (getattr(samples, part).shape[1] for samples in (train_samples, test_samples))
        if n_train != n_test:
            raise ValueError(f"{part}: {n_train} columns in train_samples, {n_test} in test_samples; expected as many.")
    stimuli = np.concatenate([train_samples.stimuli, test_samples.stimuli])
    responses = np.concatenate([train_samples.responses, test_samples.responses])
    test_runs = test_samples.runs + 1 + train_samples.runs.max()
    runs = np.append(train_samples.runs, test_runs)
    together = replace(train_samples, stimuli=stimuli, responses=responses, runs=runs)
    test = np.array([together.runs == run for run in np.unique(test_runs)])
    return score_folds(together, Folds(np.broadcast_to(~test.any(axis=0), test.shape), test), alpha, n_jobs)


def learning_curve(samples, n_runs, test_runs, alpha=100.0, n_draws=10, *, rng, n_jobs=None, scoring="r2"):
    """Fit a ridge regression for each voxel to more and more runs, and score all on the same held-out runs.

    A draw puts the runs that are not held out in a random order, and each model is fitted to the first ``n`` of them.

    Parameters
    ----------
    samples, alpha, n_jobs, scoring
        As in :func:`~voxelwise.cross_validate_ridge`.
    n_runs, test_runs : sequence of int
        How many runs to fit to; and the runs to score on, as in ``samples.runs``.
    n_draws, rng : int, numpy.random.Generator
        How many orders are drawn, once for all voxels, and by what.

    Returns
    -------
    scores : ndarray of float64, shape (len(n_runs), n_draws, n_voxels)
        R2, or the correlation, over all samples of the held-out runs. Of a voxel that never changes in the runs that
        were drawn, the mean over the other draws; 0 if there are none.
    """
    check_alpha(alpha)
    runs, test = np.unique(samples.runs), np.isin(samples.runs, test_runs)
    if not np.size(test_runs) or np.asarray(test_runs).dtype == bool or not np.isin(test_runs, runs).all():
        raise ValueError(f"test_runs={test_runs}: expected some of the runs {', '.join(map(str, runs))}.")
    others = np.setdiff1d(runs, test_runs)
    for n in n_runs:
        check_whole("n_runs", n, 1, len(others), f"{len(others)} runs are not held out; ")
    check_whole("n_draws", n_draws, 1)
    check_generator(rng)
    orders = [rng.permutation(others) for _ in range(n_draws)]

    trains = (np.array([np.isin(samples.runs, order[:n]) for order in orders]) for n in n_runs)
    folds = (Folds(train, np.broadcast_to(test, train.shape)) for train in trains)
    return np.array([score_folds(samples, each, alpha, n_jobs, scoring) for each in folds])
