"""Scores on images of another kind, against scikit-learn."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

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
    some = range(0, samples.responses.shape[1], 450)
    train, test = samples.take(voxels=some), figures.take(voxels=some)
    np.testing.assert_allclose(score_transfer(train, test, alpha), with_scikit_learn(train, test, alpha), atol=1e-7)


def test_a_voxel_out_of_view_is_judged_by_the_other_runs(samples, figures):
    """In two test runs, in some runs to train on, in all of them."""
    train, test = (each.take(voxels=[9, *sorted(MARKED_COLUMNS)]) for each in (samples, figures))
    plain = score_transfer(train, test)
    late = with_scikit_learn(train.take(rows=samples.runs >= 5), test, 100)
    test.responses[figures.runs == 1, 1], test.responses[figures.runs == 2, 2] = 0, 1.7
    train.responses[samples.runs < 5, 3], train.responses[:, 0] = 0, 0
    scores = score_transfer(train, test)
    for voxel, run in ((1, 1), (2, 2)):
        others = np.delete(plain[:, voxel], run)
        np.testing.assert_allclose(scores[:, voxel], np.insert(others, run, others.mean()), atol=1e-9)
    np.testing.assert_allclose(scores[:, 3], late[:, 3], atol=1e-7)
    np.testing.assert_allclose(scores[:, 4], plain[:, 4], atol=1e-9)
    assert not scores[:, 0].any()


def test_what_does_not_match_is_refused(samples, figures):
    for test, alpha, message in (
        (figures.take(voxels=[1, 2]), 1, "5438 voxels to train on and 2 to test on"),
        (dataclasses.replace(figures, stimuli=figures.stimuli[:, :99]), 1, "100 features to train on and 99 to test"),
        (figures, -1.0, "alpha=-1"),
    ):
        with pytest.raises(ValueError, match=message):
            score_transfer(samples, test, alpha)
