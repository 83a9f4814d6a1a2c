"""Scores on images of another kind and by number of runs, against scikit-learn."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from tests.plain import plain_loop
from voxelwise import learning_curve, score_transfer
from voxelwise.models.batches import one_thread


@one_thread
def with_scikit_learn(train, test, alpha):
    predicted = Ridge(alpha).fit(train.stimuli.astype(float), train.responses.astype(float)).predict(test.stimuli)
    runs = [test.runs == run for run in np.unique(test.runs)]
    return np.array([r2_score(test.responses[rows], predicted[rows], multioutput="raw_values") for rows in runs])


def test_transfer_equals_scikit_learn(small_samples):
    """A voxel that is out of view in a run is fitted to the others, and judged by them."""
    train, test = (small_samples.take(rows, range(8)) for rows in (small_samples.runs > 1, small_samples.runs < 2))
    plain = with_scikit_learn(train, test, 0.5)
    np.testing.assert_allclose(score_transfer(train, test, 0.5), plain, atol=1e-7)
    late = with_scikit_learn(train.take(train.runs == 3), test, 0.5)
    test.responses[test.runs == 1, 1] = 1.7
    train.responses[train.runs == 2, 3], train.responses[:, 0] = 0, 0
    scores = score_transfer(train, test, 0.5)
    np.testing.assert_allclose(scores[:, 1], plain[0, 1], atol=1e-7)
    np.testing.assert_allclose(scores[:, 3], late[:, 3], atol=1e-7)
    np.testing.assert_allclose(scores[:, 4:], plain[:, 4:], atol=1e-7)
    assert not scores[:, 0].any()
    with pytest.raises(ValueError, match="8 voxels to train on and 2 to test on"):
        score_transfer(train, test.take(voxels=[1, 2]))
    with pytest.raises(ValueError, match="16 features to train on and 9 to test"):
        score_transfer(train, dataclasses.replace(test, stimuli=test.stimuli[:, :9]))


def test_a_learning_curve_equals_a_plain_loop_over_draws(small_samples):
    """Each draw is an order of the runs that are not held out; models are fitted to the first of them.

    The second run tells nothing of the first voxel: it has the mean of the draws that began with another.
    """
    responses = small_samples.responses.copy()
    responses[small_samples.runs == 1, 0] = 0
    partly = dataclasses.replace(small_samples, responses=responses)
    scores = learning_curve(partly, [1, 3], [2], 3.0, 6, rng=np.random.default_rng(0))
    rng, test = np.random.default_rng(0), np.flatnonzero(partly.runs == 2)
    orders = [rng.permutation([0, 1, 3]) for _ in range(6)]
    for n, found in zip((1, 3), scores, strict=True):
        splits = [(np.flatnonzero(np.isin(partly.runs, order[:n])), test) for order in orders]
        np.testing.assert_allclose(found[:, 1:], plain_loop(partly, Ridge(3.0), splits)[0][:, 1:], atol=1e-7)
    blind = np.array([order[0] == 1 for order in orders])
    assert 0 < blind.sum() < 6
    np.testing.assert_allclose(scores[0, blind, 0], scores[0, ~blind, 0].mean(), atol=1e-9)
    with pytest.raises(ValueError, match="n_runs=4: 3 runs are not held out; expected a whole number from 1 to 3"):
        learning_curve(small_samples, [1, 4], [2], rng=rng)
    with pytest.raises(ValueError, match=r"test_runs=\[\]: expected some of the runs 0, 1, 2, 3"):
        learning_curve(small_samples, [1], [], rng=rng)
