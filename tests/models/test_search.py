"""The search for each voxel's penalty, against scikit-learn in nested loops."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupShuffleSplit

from tests.plain import plain_loop
from voxelwise import RunKFold, search_alpha
from voxelwise.models.batches import one_thread
from voxelwise.simulation.cortex import MARKED_COLUMNS

quiet = pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")


@one_thread
def nested_loop(samples, alphas, cv):
    """Curves, choices and scores from nothing but scikit-learn; of equal penalties the smaller one."""
    x, y = samples.stimuli.astype(float), samples.responses.astype(float)
    splits, curves, chosen, scores = list(cv.split(x, groups=samples.runs)), [], [], []
    for train, test in splits:
        pairs = [
            (np.intersect1d(train, fit), np.intersect1d(train, score)) for fit, score in splits if score is not test
        ]
        inner = [pair for pair in pairs if pair[0].size and pair[1].size]
        curves.append([plain_loop(samples, Ridge(alpha), inner)[0].mean(axis=0) for alpha in alphas])
        chosen.append(np.asarray(alphas)[np.argmax(curves[-1], axis=0)])
        predicted = Ridge(chosen[-1]).fit(x[train], y[train]).predict(x[test])  # a penalty for each voxel
        scores.append(r2_score(y[test], predicted, multioutput="raw_values"))
    return np.mean(curves, axis=0), np.array(chosen), np.array(scores)


@quiet
@pytest.mark.parametrize("grey", [True, False], ids=["no two alike", "stimuli repeat"])
@pytest.mark.parametrize("cv", [RunKFold(3), GroupShuffleSplit(4, test_size=2, random_state=1)])
def test_small_recording_equals_the_nested_loop(small_samples, cv, grey):
    """Runs of different length, so that a mean over folds is not a mean over samples; test sets that overlap."""
    stimuli = small_samples.stimuli + grey * np.random.default_rng(0).normal(0, 0.3, small_samples.stimuli.shape)
    small_samples = dataclasses.replace(small_samples, stimuli=np.float32(stimuli))
    alphas = [0.3, 1.0, 3.0, 10.0, 30.0]
    search = search_alpha(small_samples, alphas[::-1], cv)
    curves, chosen, scores = nested_loop(small_samples, alphas, cv)
    np.testing.assert_array_equal(search.alphas, alphas)
    np.testing.assert_allclose(search.curves, curves, atol=1e-5)
    np.testing.assert_array_equal(search.chosen, chosen)
    np.testing.assert_allclose(search.scores, scores, atol=1e-7)
    assert len(np.unique(chosen)) >= 3


@pytest.mark.parametrize(
    ("alphas", "word"),  # the second time, some of the choices are at the edge
    [([1e-3, 1e-2], "largest penalty, 0.01"), ([60, 180, 600, 1800, 6000], "smallest penalty, 60")],
)
def test_choices_at_the_edge_are_pointed_out(samples, alphas, word):
    with pytest.warns(UserWarning, match=f"are the {word}.*extend alphas"):
        search_alpha(samples.take(voxels=sorted(MARKED_COLUMNS)), alphas, cv=4)


def test_a_grid_that_is_wide_enough_is_not_complained_of(samples):
    """Silent voxels choose the largest penalty, whatever it is."""
    search = search_alpha(samples.take(voxels=[0, 5, 10, 15, 20, *sorted(MARKED_COLUMNS)]), cv=4)
    search_alpha(samples.take(voxels=sorted(MARKED_COLUMNS)), [100.0], cv=4)  # of one penalty there is no edge
    np.testing.assert_allclose(search.alphas, np.geomspace(1, 1e5, 20))
    assert (search.chosen == search.alphas[-1]).any()


@quiet
def test_bad_input_has_a_finite_answer(small_samples):
    """A pixel and voxels that never change, identical pixels, fewer samples than pixels."""
    bad = small_samples.take(np.concatenate([rows[:5] for rows in small_samples.run_rows]), range(8))
    bad.stimuli[:, 3], bad.stimuli[:, 5] = 1, bad.stimuli[:, 2]
    bad.responses[:, 6], bad.responses[:, 7] = 0, 2.5
    search = search_alpha(bad, [1.0, 100.0], cv=4)
    assert not search.scores[:, 6:].any() and (search.chosen[:, 6:] == 1).all(), "of equal penalties the smaller one"
    _, _, scores = nested_loop(bad, [1.0, 100.0], RunKFold(4))
    np.testing.assert_allclose(search.scores[:, :6], scores[:, :6], atol=1e-7)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(alphas=[]), "alphas is empty"),
        (dict(alphas=[1, -1]), "alpha=-1"),
        (dict(alphas="many"), "alpha=many"),
        (dict(cv=[(range(9), range(9, 12))] * 3), "needs 3 folds"),
    ],
)
def test_what_cannot_be_searched_is_refused(small_samples, wrong, message):
    with pytest.raises(ValueError, match=message):
        search_alpha(small_samples, **dict(cv=4) | wrong)
