"""Scores by number of runs, against scikit-learn in a plain loop."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tests.plain import plain_loop
from voxelwise import learning_curve


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
        (dict(n_draws=0), "n_draws=0"),
        (dict(rng=0), "rng=0: expected a generator"),
    ],
)
def test_wrong_arguments_are_refused(small_samples, wrong, message):
    with pytest.raises(ValueError, match=message):
        learning_curve(small_samples, **dict(n_runs=[1], test_runs=[2], rng=np.random.default_rng(0)) | wrong)
