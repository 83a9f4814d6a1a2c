"""Scores on images of another kind, against scikit-learn."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from tests.models.conftest import with_voxels
from voxelwise import score_transfer
from voxelwise.models.batches import one_thread
from voxelwise.simulation.cortex import MARKED_COLUMNS


@one_thread
def with_scikit_learn(train, test, alpha):
    predicted = Ridge(alpha).fit(train.stimuli.astype(float), train.responses.astype(float)).predict(test.stimuli)
    runs = [test.runs == run for run in np.unique(test.runs)]
    return np.array([r2_score(test.responses[rows], predicted[rows], multioutput="raw_values") for rows in runs])


@pytest.mark.parametrize("alpha", [0.5, 100.0, 5000.0])
def test_it_equals_scikit_learn(samples, figures, alpha):
    some = [*MARKED_COLUMNS, *range(0, samples.responses.shape[1], 450)]
    train, test = with_voxels(samples, some), with_voxels(figures, some)
    scores = score_transfer(train, test, alpha)
    assert scores.shape == (12, len(some))
    np.testing.assert_allclose(scores, with_scikit_learn(train, test, alpha), atol=1e-7)


def test_a_test_run_has_no_say_in_the_model(samples, figures):
    """Other responses in one run change its own score and no other's."""
    responses = figures.responses[:, MARKED_COLUMNS].copy()
    train, test = with_voxels(samples, MARKED_COLUMNS), with_voxels(figures, MARKED_COLUMNS)
    rows = figures.runs == 3
    responses[rows] = np.random.default_rng(0).permutation(responses[rows])
    before, after = score_transfer(train, test), score_transfer(train, dataclasses.replace(test, responses=responses))
    np.testing.assert_array_equal(np.delete(after, 3, axis=0), np.delete(before, 3, axis=0))
    assert (after[3] < before[3] - 0.2).all()


def test_a_voxel_out_of_view_is_judged_by_the_other_runs(samples, figures):
    """In two test runs, in some runs to train on, in all of them."""
    train, test = (with_voxels(each, [*MARKED_COLUMNS, 9]) for each in (samples, figures))
    test.responses[figures.runs == 1, 0], test.responses[figures.runs == 2, 1] = 0, 1.7
    train.responses[samples.runs < 5, 2], train.responses[:, 4] = 0, 0
    whole = [with_voxels(each, MARKED_COLUMNS) for each in (samples, figures)]
    scores, plain = score_transfer(train, test), score_transfer(*whole)
    for voxel, run in ((0, 1), (1, 2)):
        others = np.delete(plain[:, voxel], run)
        np.testing.assert_allclose(scores[:, voxel], np.insert(others, run, others.mean()), atol=1e-9)
    late = with_scikit_learn(whole[0].take(samples.runs >= 5), whole[1], 100)
    np.testing.assert_allclose(scores[:, 2], late[:, 2], atol=1e-7)
    np.testing.assert_allclose(scores[:, 3], plain[:, 3], atol=1e-9)
    assert not scores[:, 4].any()


def test_what_does_not_match_is_refused(samples, figures):
    with pytest.raises(ValueError, match="5438 voxels to train on and 4 to test on"):
        score_transfer(samples, with_voxels(figures, MARKED_COLUMNS))
    with pytest.raises(ValueError, match="100 features to train on and 99 to test on"):
        score_transfer(samples, dataclasses.replace(figures, stimuli=figures.stimuli[:, :99]))
    with pytest.raises(ValueError, match="alpha=-1"):
        score_transfer(samples, figures, alpha=-1.0)
