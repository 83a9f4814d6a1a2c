"""Banded ridge, against plain loops of scikit-learn's Ridge on columns that are scaled space by space."""

import dataclasses
import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneGroupOut

from tests.plain import plain_loop
from voxelwise import BandedRidgeCV, RunKFold, Samples, VoxelwiseRidgeCV, search_alpha, search_bands
from voxelwise.models.batches import one_thread

pytestmark = pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
ALPHAS, RATIOS = [0.3, 3.0, 30.0, 300.0], [1.0, 0.05]
WIDTHS = {"signal": 5, "noise": 7, "more": 3}
TRIED = [(band, alpha) for band in itertools.product(RATIOS, repeat=3) if max(band) == 1 for alpha in ALPHAS]


@pytest.fixture(scope="module")
def banded():
    """Runs of different length, voxels that answer to one space or to two, far from 0; the second space is noise."""
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(4), [40, 32, 45, 38])
    X = rng.normal(size=(len(runs), 15)) + 3
    weights = rng.normal(size=(15, 8)) * np.repeat([[1], [0], [1]], [5, 7, 3], axis=0)
    weights[12:, ::2] = 0
    Y = X @ (weights * np.geomspace(0.2, 2, 8)) + rng.normal(size=(len(runs), 8)) + 50
    return Samples.from_arrays(X, Y, runs, features=WIDTHS)


def scaled(x, band):
    """The columns of each space, times the root of its ratio."""
    return x.astype(float) * np.sqrt(np.repeat(band, list(WIDTHS.values())))


def choose(samples, splits):
    """The best band and penalty of each voxel by a plain loop over splits; of equals the first."""
    trials = [(dataclasses.replace(samples, stimuli=scaled(samples.stimuli, band)), a) for band, a in TRIED]
    curves = [plain_loop(some, Ridge(alpha), splits)[0].mean(axis=0) for some, alpha in trials]
    return [TRIED[best] for best in np.argmax(curves, axis=0)]


def parts_of(model, x, y, first):
    """What each space adds to R2 on these samples; ``first`` of its columns."""
    parts = np.add.reduceat((x - x.mean(axis=0)) * model.coef_, first, axis=1)
    wrong, around = model.predict(x).mean() - y.mean(), y - y.mean()
    return ((2 * around - parts.sum(axis=1)) @ parts - len(y) * wrong**2 / len(first)) / (around @ around)


def test_scores_and_parts_are_those_of_nested_loops(banded):
    x, y = banded.stimuli.astype(float), banded.responses.astype(float)
    splits = list(RunKFold(4).split(x, groups=banded.runs))
    search = search_bands(banded, ALPHAS, RATIOS, 4)
    for outer, (train, test) in enumerate(splits):
        inner = [(np.intersect1d(train, a), b) for a, b in splits if b is not test]
        for voxel, (band, alpha) in enumerate(choose(banded, inner)):
            with one_thread:
                model = Ridge(alpha).fit(scaled(x[train], band), y[train, voxel])
            z, seen = scaled(x[test], band), y[test, voxel]
            assert search.scores[outer, voxel] == pytest.approx(r2_score(seen, model.predict(z)), abs=1e-7)
            np.testing.assert_allclose(search.penalties[outer, :, voxel], alpha / np.array(band))
            np.testing.assert_allclose(search.split[outer, :, voxel], parts_of(model, z, seen, [0, 5, 12]), atol=1e-7)
    assert len(np.unique(search.penalties.swapaxes(1, 2).reshape(-1, 3), axis=0)) > 4
    plain = search_alpha(banded, ALPHAS, cv=4)
    assert search.scores.mean() > plain.scores.mean() + 0.002
    assert np.median(search.penalties[:, 1]) > 10 * np.median(search.penalties[:, 0]), "the space of noise"


def test_the_estimator_is_ridge_on_scaled_columns(banded):
    """Far from 0 and in float64; what it chose among and fitted, voxel by voxel."""
    X, Y = banded.stimuli.astype(float), banded.responses.astype(float)
    model = BandedRidgeCV(banded.features, ALPHAS, RATIOS, RunKFold(4)).fit(X, Y, runs=banded.runs)
    for voxel, (band, alpha) in enumerate(choose(banded, RunKFold(4))):
        np.testing.assert_allclose(model.best_alphas_[:, voxel], alpha / np.array(band))
        expected = Ridge(alpha).fit(scaled(X, band), Y[:, voxel])
        np.testing.assert_allclose(model.coef_[voxel], scaled(expected.coef_, band), atol=1e-9)
        np.testing.assert_allclose(model.predict(X)[:, voxel], expected.predict(scaled(X, band)), atol=1e-9)


def test_a_space_that_is_left_out_is_not_there(banded):
    """Of three spaces that are there or not, the choice is among seven models."""
    search = search_bands(banded, ALPHAS, [0, 2], cv=4)
    assert np.isinf(search.penalties).any() and np.isfinite(search.penalties).any(axis=1).all()
    X, Y = banded.stimuli.astype(float), banded.responses.astype(float)
    model = BandedRidgeCV(banded.features, ALPHAS, [1, 0]).fit(X, Y)
    for voxel, penalties in enumerate(model.best_alphas_.T):
        there = np.repeat(np.isfinite(penalties), list(WIDTHS.values()))
        expected = Ridge(penalties.min()).fit(X[:, there], Y[:, voxel])
        np.testing.assert_allclose(model.coef_[voxel, there], expected.coef_, atol=1e-9)
        assert not model.coef_[voxel, ~there].any()


def test_columns_may_stand_in_any_order(banded):
    order = np.random.default_rng(1).permutation(15)
    groups = {name: np.flatnonzero(np.isin(order, columns)) for name, columns in banded.features.items()}
    mixed = dataclasses.replace(banded, stimuli=banded.stimuli[:, order], features=groups)
    first, second = (search_bands(some, ALPHAS[::2], RATIOS, cv=4) for some in (banded, mixed))
    np.testing.assert_allclose(first.split, second.split, atol=1e-9)
    models = (BandedRidgeCV(some.features, ALPHAS[::2], RATIOS) for some in (banded, mixed))
    first, second = (
        model.fit(some.stimuli, some.responses) for model, some in zip(models, (banded, mixed), strict=True)
    )
    np.testing.assert_allclose(first.coef_[:, order], second.coef_, atol=1e-9)


def test_without_spaces_it_is_the_search_for_one_penalty(banded):
    one, X, Y = dataclasses.replace(banded, features=None), banded.stimuli, banded.responses
    search, plain = search_bands(one, ALPHAS, cv=4), search_alpha(one, ALPHAS, cv=4)
    np.testing.assert_allclose(search.scores, plain.scores, atol=1e-9)
    np.testing.assert_array_equal(search.penalties[:, 0], plain.chosen)
    for y in (Y, Y[:, 3]):
        ours, theirs = (model.fit(X, y) for model in (BandedRidgeCV(alphas=ALPHAS), VoxelwiseRidgeCV(ALPHAS)))
        np.testing.assert_allclose(ours.coef_, theirs.coef_)


def test_voxels_out_of_view_are_scored_by_the_other_runs(banded):
    responses = banded.responses.copy()
    responses[banded.runs == 1, 2], responses[:, 5] = 0, 1.5
    partly = dataclasses.replace(banded, responses=responses)
    search, alone = (
        search_bands(some, ALPHAS, RATIOS, LeaveOneGroupOut()) for some in (partly, partly.take(banded.runs != 1))
    )
    np.testing.assert_allclose(search.scores[[0, 2, 3], 2], alone.scores[:, 2], atol=1e-7)
    assert search.scores[1, 2] == pytest.approx(alone.scores[:, 2].mean())
    assert not search.scores[:, 5].any()
    np.testing.assert_allclose(search.split.sum(axis=1), search.scores, atol=1e-12)


def test_more_features_than_samples(banded):
    """Columns are rotated then, and parts have to be those of the columns as they were."""
    X, Y = np.random.default_rng(3).normal(size=(len(banded.runs), 400)), banded.responses.astype(float)
    wide = Samples.from_arrays(X, Y, banded.runs, features={"first": 150, "second": 250})
    search, plain = search_bands(wide, ALPHAS, [1.0], cv=4), search_alpha(wide, ALPHAS, cv=4)
    np.testing.assert_allclose(search.scores, plain.scores, atol=1e-7)
    train, test = next(RunKFold(4).split(X, groups=wide.runs))
    model = Ridge(plain.chosen[0, 0]).fit(X[train], Y[train, 0])
    np.testing.assert_allclose(search.split[0, :, 0], parts_of(model, X[test], Y[test, 0], [0, 150]), atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(alphas=[]), "alphas is empty"),
        (dict(ratios=[]), r"ratios=\[\]: expected at least one"),
        (dict(ratios=[0]), r"ratios=\[0\]: expected at least one"),
        (dict(ratios=[1, -0.1]), "ratios: -0.1 is none"),
        (dict(cv=2), "cv=2.*needs 3 folds"),
    ],
)
def test_what_cannot_be_searched_is_refused(banded, wrong, message):
    with pytest.raises(ValueError, match=message):
        search_bands(banded, **dict(cv=4) | wrong)
