"""Scores on images of another kind, against scikit-learn."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from voxelwise import score_transfer
from voxelwise.models.batches import one_thread


@pytest.fixture
def pair(small_samples):
    """Samples to train and to test on, of the same voxels."""
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
    """In a test run, in a run to train on, in all of them."""
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
