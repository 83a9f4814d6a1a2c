"""Scores on images of another kind and by number of runs, against scikit-learn."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from tests.plain import plain_loop
from voxelwise import learning_curve, score_transfer
from voxelwise.models.batches import one_thread


@pytest.fixture
def pair(small_samples):
    return small_samples.take(small_samples.runs > 1, range(8)), small_samples.take(small_samples.runs < 2, range(8))


@one_thread
def with_scikit_learn(train, test, alpha):
    predicted = Ridge(alpha).fit(train.stimuli.astype(float), train.responses.astype(float)).predict(test.stimuli)
    runs = [test.runs == run for run in np.unique(test.runs)]
    return np.array([r2_score(test.responses[rows], predicted[rows], multioutput="raw_values") for rows in runs])


@pytest.mark.parametrize("alpha", [0.5, 500.0])
def test_it_equals_scikit_learn(pair, alpha):
    np.testing.assert_allclose(score_transfer(*pair, alpha), with_scikit_learn(*pair, alpha), atol=1e-7)


def test_a_voxel_out_of_view_is_judged_by_the_other_runs(pair):
    train, test = pair
    plain, late = score_transfer(train, test), with_scikit_learn(train.take(train.runs == 3), test, 100)
    test.responses[test.runs == 1, 1] = 1.7
    train.responses[train.runs == 2, 3], train.responses[:, 0] = 0, 0
    scores = score_transfer(train, test)
    np.testing.assert_allclose(scores[:, 1], plain[0, 1], atol=1e-9)
    np.testing.assert_allclose(scores[:, 3], late[:, 3], atol=1e-7)
    np.testing.assert_allclose(scores[:, 4:], plain[:, 4:], atol=1e-9)
    assert not scores[:, 0].any()


def test_what_does_not_match_is_refused(pair):
    train, test = pair
    for other, alpha, message in (
        (test.take(voxels=[1, 2]), 1, "8 voxels to train on and 2 to test on"),
        (dataclasses.replace(test, stimuli=test.stimuli[:, :9]), 1, "16 features to train on and 9 to test"),
        (test, -1.0, "alpha=-1"),
    ):
        with pytest.raises(ValueError, match=message):
            score_transfer(train, other, alpha)


def test_it_equals_a_plain_loop_over_draws(small_samples):
    """Each draw is an order of the runs that are not held out; models are fitted to the first of them."""
    scores = learning_curve(small_samples, [1, 3], [2], 3.0, 4, rng=np.random.default_rng(5))
    rng, test = np.random.default_rng(5), np.flatnonzero(small_samples.runs == 2)
    orders = [rng.permutation([0, 1, 3]) for _ in range(4)]
    for n, found in zip((1, 3), scores, strict=True):
        splits = [(np.flatnonzero(np.isin(small_samples.runs, order[:n])), test) for order in orders]
        np.testing.assert_allclose(found, plain_loop(small_samples, Ridge(3.0), splits)[0], atol=1e-7)
    assert len(np.unique(scores[0, :, 0].round(9))) > 1 and np.ptp(scores[1], axis=0).max() < 1e-9


def test_a_voxel_out_of_view_has_the_mean_of_the_draws_that_saw_it(small_samples):
    """The second run is drawn first by some, and tells nothing of the first voxel."""
    responses = small_samples.responses.copy()
    responses[small_samples.runs == 1, 0] = 0
    partly = dataclasses.replace(small_samples, responses=responses)
    scores = learning_curve(partly, [1, 3], [2], n_draws=6, rng=np.random.default_rng(0))[0, :, 0]
    rng = np.random.default_rng(0)
    blind = np.array([rng.permutation([0, 1, 3])[0] == 1 for _ in range(6)])
    assert 0 < blind.sum() < 6
    np.testing.assert_allclose(scores[blind], scores[~blind].mean(), atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(n_runs=[1, 4]), "n_runs=4: 3 runs are not held out; expected a whole number from 1 to 3"),
        (dict(test_runs=[]), r"test_runs=\[\]: expected some of the runs 0, 1, 2, 3"),
    ],
)
def test_wrong_arguments_are_refused(small_samples, wrong, message):
    with pytest.raises(ValueError, match=message):
        learning_curve(small_samples, **dict(n_runs=[1], test_runs=[2], rng=np.random.default_rng(0)) | wrong)
