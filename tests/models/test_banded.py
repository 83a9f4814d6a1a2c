"""Banded ridge, against plain loops of scikit-learn's Ridge on columns that are scaled space by space."""

import dataclasses
import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupShuffleSplit, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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


@pytest.mark.parametrize("cv", [RunKFold(4), GroupShuffleSplit(4, test_size=1, random_state=2)], ids=str)
def test_scores_and_parts_are_those_of_nested_loops(banded, cv):
    x, y = banded.stimuli.astype(float), banded.responses.astype(float)
    splits = list(cv.split(x, groups=banded.runs))
    search = search_bands(banded, ALPHAS, RATIOS, cv)
    for outer, (train, test) in enumerate(splits):
        others = splits[:outer] + splits[outer + 1 :]
        inner = [(np.intersect1d(train, a), np.intersect1d(train, b)) for a, b in others]
        inner = [split for split in inner if split[0].size and split[1].size]
        for voxel, (band, alpha) in enumerate(choose(banded, inner)):
            with one_thread:
                model = Ridge(alpha).fit(scaled(x[train], band), y[train, voxel])
            z, seen = scaled(x[test], band), y[test, voxel]
            assert search.scores[outer, voxel] == pytest.approx(r2_score(seen, model.predict(z)), abs=1e-7)
            np.testing.assert_allclose(search.penalties[outer, :, voxel], alpha / np.array(band))
            parts = np.add.reduceat((z - z.mean(axis=0)) * model.coef_, [0, 5, 12], axis=1)
            wrong, around = model.predict(z).mean() - seen.mean(), seen - seen.mean()
            expected = (2 * around - parts.sum(axis=1)) @ parts - len(seen) * wrong**2 / 3
            np.testing.assert_allclose(search.split[outer, :, voxel], expected / (around @ around), atol=1e-7)
    np.testing.assert_allclose(search.split.sum(axis=1), search.scores, atol=1e-12)
    assert len(np.unique(search.penalties.reshape(-1, 3, 8).transpose(0, 2, 1).reshape(-1, 3), axis=0)) > 4


@pytest.mark.parametrize("given", [True, False], ids=["runs", "no runs"])
def test_the_estimator_is_ridge_on_scaled_columns(banded, given):
    """Far from 0 and in float64; what it chose among and fitted, voxel by voxel."""
    runs = banded.runs if given else None
    X, Y = banded.stimuli.astype(float), banded.responses.astype(float)
    model = BandedRidgeCV(banded.features, ALPHAS, RATIOS, RunKFold(4) if given else 3).fit(X, Y, runs=runs)
    third = np.array_split(np.arange(len(X)), 3)
    splits = RunKFold(4) if given else [(np.setdiff1d(np.arange(len(X)), test), test) for test in third]
    for voxel, (band, alpha) in enumerate(choose(banded, splits)):
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
    first, second = (search_bands(some, ALPHAS, cv=4) for some in (banded, mixed))
    np.testing.assert_allclose(first.split, second.split, atol=1e-9)
    first, second = (
        BandedRidgeCV(some.features, ALPHAS).fit(some.stimuli, some.responses).coef_ for some in (banded, mixed)
    )
    np.testing.assert_allclose(first[:, order], second, atol=1e-9)


def test_without_spaces_it_is_the_search_for_one_penalty(banded):
    one = dataclasses.replace(banded, features=None)
    search, plain = search_bands(one, ALPHAS, cv=4), search_alpha(one, ALPHAS, cv=4)
    np.testing.assert_allclose(search.scores, plain.scores, atol=1e-9)
    np.testing.assert_array_equal(search.penalties[:, 0], plain.chosen)
    X, Y = banded.stimuli, banded.responses
    for y in (Y, Y[:, 3]):
        ours, theirs = (model.fit(X, y) for model in (BandedRidgeCV(alphas=ALPHAS), VoxelwiseRidgeCV(ALPHAS)))
        np.testing.assert_allclose(ours.coef_, theirs.coef_)
    assert make_pipeline(StandardScaler(), BandedRidgeCV(banded.features)).fit(X, Y).predict(X).shape == Y.shape


def test_penalties_of_their_own_predict_better(banded):
    """The space of noise has heavier penalties than the others."""
    search, plain = search_bands(banded, ALPHAS, cv=4), search_alpha(banded, ALPHAS, cv=4)
    assert search.scores.mean() > plain.scores.mean() + 0.002
    assert np.median(search.penalties[:, 1]) > 10 * np.median(search.penalties[:, 0])


def test_voxels_out_of_view_are_scored_by_the_other_runs(banded):
    responses = banded.responses.copy()
    responses[banded.runs == 1, 2], responses[:, 5] = 0, 1.5
    partly = dataclasses.replace(banded, responses=responses)
    search = search_bands(partly, ALPHAS, cv=LeaveOneGroupOut())
    kept = banded.runs != 1
    alone = search_bands(partly.take(kept), ALPHAS, cv=LeaveOneGroupOut())
    np.testing.assert_allclose(search.scores[[0, 2, 3], 2], alone.scores[:, 2], atol=1e-7)
    assert search.scores[1, 2] == pytest.approx(alone.scores[:, 2].mean())
    assert not search.scores[:, 5].any()
    np.testing.assert_allclose(search.split.sum(axis=1), search.scores, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(alphas=[]), "alphas is empty"),
        (dict(ratios=[]), r"ratios=\[\]: expected at least one"),
        (dict(ratios=[0]), r"ratios=\[0\]: expected at least one"),
        (dict(ratios=[1, -0.1]), "ratios: -0.1 is none"),
        (dict(ratios="all"), "ratios: all is none"),
        (dict(cv=2), "cv=2.*needs 3 folds"),
    ],
)
def test_what_cannot_be_searched_is_refused(banded, wrong, message):
    with pytest.raises(ValueError, match=message):
        search_bands(banded, **dict(cv=4) | wrong)


@pytest.mark.parametrize(
    "groups", [{"a": [0, 1]}, {"a": range(15), "b": [3]}, {"a": range(16)}, {"a": range(15), "b": []}]
)
def test_spaces_that_do_not_fit_the_columns_are_refused(banded, groups):
    with pytest.raises(ValueError, match="Feature spaces: expected each of the 15 columns"):
        BandedRidgeCV(groups).fit(banded.stimuli, banded.responses)
