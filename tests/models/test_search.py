"""The search for penalties, one a voxel or one a feature space, against scikit-learn in nested loops."""

import dataclasses
import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupShuffleSplit, LeaveOneGroupOut

from tests.plain import plain_loop
from voxelwise import BandedRidgeCV, RunKFold, Samples, VoxelwiseRidgeCV, search_alpha, search_bands
from voxelwise.models.batches import one_thread
from voxelwise.simulation.cortex import MARKED_COLUMNS

quiet = pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
ALPHAS, RATIOS, WIDTHS = [0.3, 3.0, 30.0, 300.0], [1.0, 0.05], [5, 7, 3]
BANDS = [(band, alpha) for band in itertools.product(RATIOS, repeat=3) if max(band) == 1 for alpha in ALPHAS]


@pytest.fixture(scope="module")
def banded():
    """Runs of different length, voxels that answer to one space or to two, far from 0; the second space is noise."""
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(4), [40, 32, 45, 38])
    X = rng.normal(size=(len(runs), 15)) + 3
    weights = rng.normal(size=(15, 8)) * np.repeat([[1], [0], [1]], WIDTHS, axis=0)
    weights[12:, ::2] = 0
    Y = X @ (weights * np.geomspace(0.2, 2, 8)) + rng.normal(size=(len(runs), 8)) + 50
    return Samples.from_arrays(X, Y, runs, features=dict(zip(("signal", "noise", "more"), WIDTHS, strict=True)))


def scaled(x, band):
    return x.astype(float) * np.sqrt(np.repeat(band, WIDTHS) if len(band) > 1 else band)


def choose(samples, tried, splits):
    """Curves, and the best band and penalty of each voxel by a plain loop over splits; of equals the first."""
    trials = [(dataclasses.replace(samples, stimuli=scaled(samples.stimuli, band)), alpha) for band, alpha in tried]
    curves = [plain_loop(some, Ridge(alpha), splits)[0].mean(axis=0) for some, alpha in trials]
    return curves, [tried[best] for best in np.argmax(curves, axis=0)]


@one_thread
def nested_loop(samples, tried, cv):
    """Curves, choices and scores from nothing but scikit-learn."""
    x, y = samples.stimuli, samples.responses.astype(float)
    splits, found = list(cv.split(x, groups=samples.runs)), []
    for train, test in splits:
        pairs = [
            (np.intersect1d(train, fit), np.intersect1d(train, score)) for fit, score in splits if score is not test
        ]
        curves, best = choose(samples, tried, [pair for pair in pairs if pair[0].size and pair[1].size])
        fits = [Ridge(a).fit(scaled(x[train], band), y[train, v]) for v, (band, a) in enumerate(best)]
        predicted = [fit.predict(scaled(x[test], band)) for fit, (band, _) in zip(fits, best, strict=True)]
        penalties = [alpha / np.array(band) for band, alpha in best]
        found.append((curves, penalties, r2_score(y[test], np.transpose(predicted), multioutput="raw_values")))
    curves, penalties, scores = map(np.array, zip(*found, strict=True))
    return curves.mean(axis=0), penalties.swapaxes(1, 2), scores


def parts_of(alpha, x, y, train, test, first):
    """What each space adds to R2 of a voxel, ``first`` being the first of its columns."""
    model = Ridge(alpha).fit(x[train], y[train])
    x, y = x[test], y[test]
    parts = np.add.reduceat((x - x.mean(axis=0)) * model.coef_, first, axis=1)
    wrong, around = model.predict(x).mean() - y.mean(), y - y.mean()
    return ((2 * around - parts.sum(axis=1)) @ parts - len(y) * wrong**2 / len(first)) / (around @ around)


@quiet
@pytest.mark.parametrize("grey", [True, False], ids=["no two alike", "stimuli repeat"])
@pytest.mark.parametrize("cv", [RunKFold(3), GroupShuffleSplit(4, test_size=2, random_state=1)])
def test_small_recording_equals_the_nested_loop(small_samples, cv, grey):
    """Runs of different length, so that a mean over folds is not a mean over samples; test sets that overlap."""
    stimuli = small_samples.stimuli + grey * np.random.default_rng(0).normal(0, 0.3, small_samples.stimuli.shape)
    small_samples = dataclasses.replace(small_samples, stimuli=np.float32(stimuli))
    alphas = [0.3, 1.0, 3.0, 10.0, 30.0]
    search = search_alpha(small_samples, alphas[::-1], cv)
    curves, chosen, scores = nested_loop(small_samples, [((1,), alpha) for alpha in alphas], cv)
    np.testing.assert_array_equal(search.alphas, alphas)
    np.testing.assert_allclose(search.curves, curves, atol=1e-5)
    np.testing.assert_array_equal(search.chosen, chosen[:, 0])
    np.testing.assert_allclose(search.scores, scores, atol=1e-7)
    assert len(np.unique(chosen)) >= 3


@quiet
def test_bands_equal_the_nested_loop(banded):
    search = search_bands(banded, ALPHAS, RATIOS, 4)
    _, penalties, scores = nested_loop(banded, BANDS, RunKFold(4))
    np.testing.assert_allclose(search.scores, scores, atol=1e-7)
    np.testing.assert_allclose(search.penalties, penalties)
    assert len(np.unique(penalties.swapaxes(1, 2).reshape(-1, 3), axis=0)) > 4
    train, test = next(RunKFold(4).split(groups=banded.runs))
    for voxel, penalty in enumerate(penalties[0].T):
        x, y = scaled(banded.stimuli, penalty.min() / penalty), banded.responses[:, voxel].astype(float)
        expected = parts_of(penalty.min(), x, y, train, test, [0, 5, 12])
        np.testing.assert_allclose(search.split[0, :, voxel], expected, atol=1e-7)
    assert scores.mean() > search_alpha(banded, ALPHAS, cv=4).scores.mean() + 0.002
    assert np.median(penalties[:, 1]) > 10 * np.median(penalties[:, 0]), "the space of noise"


def test_the_estimator_is_ridge_on_scaled_columns(banded):
    X, Y = banded.stimuli.astype(float), banded.responses.astype(float)
    model = BandedRidgeCV(banded.features, ALPHAS, RATIOS, RunKFold(4)).fit(X, Y, runs=banded.runs)
    for voxel, (band, alpha) in enumerate(choose(banded, BANDS, RunKFold(4))[1]):
        np.testing.assert_allclose(model.best_alphas_[:, voxel], alpha / np.array(band))
        expected = Ridge(alpha).fit(scaled(X, band), Y[:, voxel])
        np.testing.assert_allclose(model.coef_[voxel], scaled(expected.coef_, band), atol=1e-9)
        np.testing.assert_allclose(model.predict(X)[:, voxel], expected.predict(scaled(X, band)), atol=1e-9)


def test_a_space_that_is_left_out_is_not_there(banded):
    X, Y = banded.stimuli.astype(float), banded.responses.astype(float)
    model = BandedRidgeCV(banded.features, ALPHAS, [1, 0]).fit(X, Y)
    assert np.isinf(model.best_alphas_).any() and np.isfinite(model.best_alphas_).any(axis=0).all()
    for voxel, penalties in enumerate(model.best_alphas_.T):
        there = np.repeat(np.isfinite(penalties), WIDTHS)
        expected = Ridge(penalties.min()).fit(X[:, there], Y[:, voxel])
        np.testing.assert_allclose(model.coef_[voxel, there], expected.coef_, atol=1e-9)
        assert not model.coef_[voxel, ~there].any()


@quiet
def test_columns_may_stand_in_any_order(banded):
    order = np.random.default_rng(1).permutation(15)
    groups = {name: np.flatnonzero(np.isin(order, columns)) for name, columns in banded.features.items()}
    mixed = dataclasses.replace(banded, stimuli=banded.stimuli[:, order], features=groups)
    first, second = (search_bands(some, [3.0, 300.0], RATIOS, cv=4) for some in (banded, mixed))
    np.testing.assert_allclose(first.split, second.split, atol=1e-9)
    first, second = (
        BandedRidgeCV(some.features, [3.0, 300.0], RATIOS).fit(some.stimuli, some.responses) for some in (banded, mixed)
    )
    np.testing.assert_allclose(first.coef_[:, order], second.coef_, atol=1e-9)


@quiet
def test_without_spaces_it_is_the_search_for_one_penalty(banded):
    one, X, Y = dataclasses.replace(banded, features=None), banded.stimuli, banded.responses
    search, plain = search_bands(one, ALPHAS, cv=4), search_alpha(one, ALPHAS, cv=4)
    np.testing.assert_allclose(search.scores, plain.scores, atol=1e-9)
    np.testing.assert_array_equal(search.penalties[:, 0], plain.chosen)
    ours, theirs = (model.fit(X, Y[:, 3]) for model in (BandedRidgeCV(alphas=ALPHAS), VoxelwiseRidgeCV(ALPHAS)))
    np.testing.assert_allclose(ours.coef_, theirs.coef_)


@quiet
def test_voxels_out_of_view_are_scored_by_the_other_runs(banded):
    responses = banded.responses.copy()
    responses[banded.runs == 1, 2], responses[:, 5] = 0, 1.5
    partly = dataclasses.replace(banded, responses=responses)
    both = partly, partly.take(banded.runs != 1)
    search, alone = (search_bands(some, ALPHAS, RATIOS, LeaveOneGroupOut()) for some in both)
    np.testing.assert_allclose(search.scores[[0, 2, 3], 2], alone.scores[:, 2], atol=1e-7)
    assert search.scores[1, 2] == pytest.approx(alone.scores[:, 2].mean()) and not search.scores[:, 5].any()
    np.testing.assert_allclose(search.split.sum(axis=1), search.scores, atol=1e-12)


@quiet
def test_more_features_than_samples(banded):
    """Columns are rotated then, and parts have to be those of the columns as they were."""
    X, Y = np.random.default_rng(3).normal(size=(len(banded.runs), 400)), banded.responses.astype(float)
    wide = Samples.from_arrays(X, Y, banded.runs, features={"first": 150, "second": 250})
    search, plain = search_bands(wide, ALPHAS, [1.0], cv=4), search_alpha(wide, ALPHAS, cv=4)
    np.testing.assert_allclose(search.scores, plain.scores, atol=1e-7)
    split = next(RunKFold(4).split(X, groups=wide.runs))
    expected = parts_of(plain.chosen[0, 0], X, Y[:, 0], *split, [0, 150])
    np.testing.assert_allclose(search.split[0, :, 0], expected, atol=1e-5)


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
    bad = small_samples.take(np.concatenate([rows[:5] for rows in small_samples.run_rows]), range(8))
    bad.stimuli[:, 3], bad.stimuli[:, 5] = 1, bad.stimuli[:, 2]
    bad.responses[:, 6], bad.responses[:, 7] = 0, 2.5
    search = search_alpha(bad, [1.0, 100.0], cv=4)
    assert not search.scores[:, 6:].any() and (search.chosen[:, 6:] == 1).all(), "of equal penalties the smaller one"
    _, _, scores = nested_loop(bad, [((1,), 1.0), ((1,), 100.0)], RunKFold(4))
    np.testing.assert_allclose(search.scores[:, :6], scores[:, :6], atol=1e-7)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(alphas=[]), "alphas is empty"),
        (dict(alphas=[1, -1]), "alpha=-1"),
        (dict(cv=[(range(9), range(9, 12))] * 3), "needs 3 folds"),
        (dict(ratios=[0]), r"ratios=\[0\]: expected at least one"),
        (dict(ratios=[1, -0.1]), "ratios: -0.1 is none"),
    ],
)
def test_what_cannot_be_searched_is_refused(banded, wrong, message):
    with pytest.raises(ValueError, match=message):
        search_bands(banded, **dict(cv=4) | wrong)
    if "ratios" not in wrong:
        with pytest.raises(ValueError, match=message):
            search_alpha(banded, **dict(cv=4) | wrong)
