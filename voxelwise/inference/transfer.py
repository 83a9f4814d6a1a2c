"""Ridge regression trained on one kind of images and scored on another."""

import numpy as np

from ..errors import RecordingError
from ..models.batches import map_chunks, one_thread
from ..models.ridge import as_r2, check_alpha, decompose
from ..models.sums import Sums


def score_transfer(train_samples, test_samples, alpha=100.0, n_jobs=None):
    """Fit a ridge regression for each voxel to some runs and score it on others.

    The scores are those of scikit-learn's ``Ridge(alpha)``, fitted to all training samples, and of ``r2_score`` on each
    test run, except that a voxel that does not change within a run always scores 0 there.

    Parameters
    ----------
    train_samples, test_samples : Samples
        Of the same voxels and of images with as many pixels, such as the random and the figure runs of one
        recording. No run may be in both: the score would be that of images that the model has seen.
    alpha : float
        Penalty on the squared weights, as in :func:`~voxelwise.cross_validate_ridge`.
    n_jobs : int, optional
        How many chunks of voxels are worked on at a time, as in joblib.

    Returns
    -------
    scores : ndarray of float64, shape (n_test_runs, n_voxels)
        R2 on each test run.

    Raises
    ------
    RecordingError
        If ``alpha`` is negative, or pixels or voxels of the two do not match; before anything is computed.
    """
    check_alpha(alpha)
    for what, train, test in (
        ("pixels", train_samples.stimuli, test_samples.stimuli),
        ("voxels", train_samples.responses, test_samples.responses),
    ):
        if train.shape[1] != test.shape[1]:
            raise RecordingError(
                f"{train.shape[1]} {what} to train on and {test.shape[1]} to test on: expected the same {what}, "
                "as in two kinds of runs of one recording."
            )
    runs = [np.flatnonzero(test_samples.runs == run) for run in np.unique(test_samples.runs)]
    x, test_x = train_samples.stimuli, test_samples.stimuli
    basis = _decompose_all(x)
    scores = np.empty((len(runs), test_samples.responses.shape[1]))
    both = np.concatenate([train_samples.responses, test_samples.responses])  # one matrix, to be cut into chunks
    for columns, found in map_chunks(_score_runs, both, x, test_x, runs, basis, alpha, n_jobs=n_jobs):
        scores[:, columns] = found
    return scores


@one_thread
def _decompose_all(stimuli):
    """Eigendecomposition of the pixels of all training samples."""
    return decompose(Sums.of(stimuli, stimuli[:, :0]))


def _score_runs(responses, x, test_x, runs, basis, alpha):
    """R2 of a chunk of voxels on each test run; ``responses`` has the rows to train on, then those to test on."""
    directions, variances = basis
    train = Sums.of(x, responses[: len(x)])
    weights = directions @ ((directions.T @ train.centred()[1]) / (variances + alpha)[:, np.newaxis])
    scores = []
    for rows in runs:
        test = Sums.of(test_x[rows], responses[len(x) :][rows])
        xx, xy, yy = test.centred(around=train)
        residual = yy + np.einsum("pv,pv->v", weights, xx @ weights - 2 * xy)
        scores.append(as_r2(residual, test))
    return np.stack(scores)
