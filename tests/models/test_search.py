"""The search for penalties, one a voxel or one a feature space, against scikit-learn in nested loops."""

import dataclasses
import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupShuffleSplit, LeaveOneGroupOut, LeaveOneOut

from tests.plain import plain_loop
from voxelwise import BandedRidgeCV, RunKFold, Samples, partition_variance, search_alpha, stack_features
from voxelwise.models.batches import one_thread
from voxelwise.simulation.cortex import MARKED_COLUMNS

quiet = pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
ALPHAS, RATIOS, NAMES = [3.0, 30.0, 300.0], [1.0, 0.05], ["signal", "noise", "more"]
SPACES = np.random.default_rng(1).permutation(np.repeat([0, 1, 2], [5, 7, 3]))  # of the columns, in no order


def all_bands(ratios):
    return [(band, alpha) for band in itertools.product(ratios, repeat=3) if max(band) == 1 for alpha in ALPHAS]


@pytest.fixture(scope="module")
def banded():
    """Runs of different length, voxels that answer to one space or to two, far from 0; the second space is noise."""
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(4), [40, 32, 45, 38])
    X = rng.normal(size=(len(runs), 15)) + 3
    weights = rng.normal(size=(15, 8)) * (SPACES != 1)[:, np.newaxis]
    weights[SPACES == 2, ::2] = 0
    Y = X @ (weights * np.geomspace(0.2, 2, 8)) + rng.normal(size=(len(runs), 8)) + 50
    spaces = {name: np.flatnonzero(number == SPACES) for number, name in enumerate(NAMES)}
    return dataclasses.replace(Samples.from_arrays(X, Y, runs), features=spaces)


def scaled(x, band):
    return x.astype(float) * np.sqrt(np.take(band, SPACES) if len(band) > 1 else band)


def choose(samples, tried, splits):
    """Curves, and the best band and penalty of each voxel by a plain loop over splits; of equals the first."""
    trials = [(dataclasses.replace(samples, stimuli=scaled(samples.stimuli, band)), alpha) for band, alpha in tried]
    curves = [plain_loop(some, Ridge(alpha), splits)[0].mean(axis=0) for some, alpha in trials]
    return curves, [tried[best] for best in np.argmax(curves, axis=0)]


@one_thread
def nested_loop(samples, tried, cv):
    """Curves, and choices and scores of each fold and voxel, from nothing but scikit-learn."""
    x, y = samples.stimuli, samples.responses.astype(float)
    splits, found = list(cv.split(x, groups=samples.runs)), []
    for train, test in splits:
        pairs = [[np.intersect1d(train, side) for side in split] for split in splits if split[1] is not test]
        curves, best = choose(samples, tried, [pair for pair in pairs if pair[0].size and pair[1].size])
        fits = [Ridge(a).fit(scaled(x[train], band), y[train, v]) for v, (band, a) in enumerate(best)]
        predicted = [fit.predict(scaled(x[test], band)) for fit, (band, _) in zip(fits, best, strict=True)]
        found.append((curves, best, r2_score(y[test], np.transpose(predicted), multioutput="raw_values")))
    curves, chosen, scores = zip(*found, strict=True)
    return np.mean(curves, axis=0), chosen, np.array(scores)


def parts_of(alpha, x, y, train, test, spaces):
    """What each space adds to R2 of a voxel."""
    model = Ridge(alpha).fit(x[train], y[train])
    x, y = x[test], y[test]
    columns = (x - x.mean(axis=0)) * model.coef_
    parts = np.stack([columns[:, spaces == space].sum(axis=1) for space in np.unique(spaces)], axis=1)
    wrong, around = model.predict(x).mean() - y.mean(), y - y.mean()
    return ((2 * around - parts.sum(axis=1)) @ parts - len(y) * wrong**2 / parts.shape[1]) / (around @ around)


@quiet
@pytest.mark.parametrize(
    ("cv", "grey"), [(RunKFold(3), 0), (GroupShuffleSplit(4, test_size=2, random_state=1), 0.3)], ids=str
)
def test_small_recording_equals_the_nested_loop(small_samples, cv, grey):
    """Runs of different length, so that a mean over folds is not a mean over samples; test sets that overlap."""
    stimuli = small_samples.stimuli + np.random.default_rng(0).normal(0, grey, small_samples.stimuli.shape)
    small_samples = dataclasses.replace(small_samples, stimuli=np.float32(stimuli))
    alphas = [0.3, 1.0, 3.0, 10.0, 30.0]
    search = search_alpha(small_samples, alphas[::-1], cv)
    curves, chosen, scores = nested_loop(small_samples, [((1,), alpha) for alpha in alphas], cv)
    np.testing.assert_array_equal(search.alphas, alphas)
    np.testing.assert_allclose(search.curves, curves, atol=1e-5)
    np.testing.assert_array_equal(search.chosen, [[alpha for _, alpha in fold] for fold in chosen])
    np.testing.assert_allclose(search.scores, scores, atol=1e-7)
    assert len(np.unique(search.chosen)) >= 3


@quiet
def test_a_partition_is_that_of_nested_loops(banded):
    bands, x, y = all_bands(RATIOS), banded.stimuli, banded.responses.astype(float)
    found, (_, chosen, scores) = partition_variance(banded, ALPHAS, RATIOS, 4), nested_loop(banded, bands, RunKFold(4))
    np.testing.assert_allclose(found.scores, scores, atol=1e-7)
    assert len({choice for fold in chosen for choice in fold}) > 4
    assert scores.mean() > search_alpha(banded, ALPHAS, cv=4).scores.mean() + 0.002
    parts = [
        [parts_of(alpha, scaled(x, band), y[:, v], *fold, SPACES) for v, (band, alpha) in enumerate(best)]
        for fold, best in zip(RunKFold(4).split(groups=banded.runs), chosen, strict=True)
    ]
    np.testing.assert_allclose(found.split, np.mean(parts, axis=0), atol=1e-7)
    only = nested_loop(banded, [((1, 0, 0), alpha) for alpha in ALPHAS], RunKFold(4))[2]
    np.testing.assert_allclose(found.alone["signal"], only.mean(axis=0), atol=1e-7)
    others = [(band, alpha) for band, alpha in all_bands([1.0, 0.05, 0.0]) if band[0] and not band[1] and band[2]]
    without = scores - nested_loop(banded, others, RunKFold(4))[2]
    np.testing.assert_allclose(found.unique["noise"], without.mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(found.unique_error["noise"], without.std(axis=0, ddof=1) / 2, atol=1e-7)


def test_parts_are_what_was_put_in():
    """Three spaces: one explains 0.4 of each voxel, one that resembles it 0.1 more, one is noise."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(600, 6))
    second = np.hstack([first[:, :3] + 0.5 * rng.normal(size=(600, 3)), rng.normal(size=(600, 3))])
    Y = np.sqrt(0.5) * rng.normal(size=(600, 40))
    for share, seen in ((0.4, first), (0.1, second[:, 3:])):
        part = seen @ rng.normal(size=(seen.shape[1], 40))
        Y += np.sqrt(share) * part / part.std(axis=0)
    samples = Samples.from_arrays(first, Y, np.repeat(np.arange(6), 100))
    known = stack_features(samples, {"first": first, "second": second, "noise": rng.normal(size=(600, 10))})
    partition = partition_variance(known, np.geomspace(1, 1000, 4), cv=6)
    assert partition.scores.mean() == pytest.approx(0.5, abs=0.04)
    assert partition.alone.mean().tolist() == pytest.approx([0.4, 0.25, 0], abs=0.05)
    assert partition.split.mean().tolist() == pytest.approx([0.4, 0.1, 0], abs=0.05)
    assert partition.unique["first"].mean() < 0.3 < partition.alone["first"].mean(), "half of it resembles the second"
    assert partition.unique["second"].mean() == pytest.approx(0.1, abs=0.03)
    unique, error = partition.unique["noise"], partition.unique_error["noise"]
    assert (abs(unique) <= 2 * error + 1e-9).mean() > 0.95 and abs(unique.mean()) < 0.003


def test_the_estimator_is_ridge_on_scaled_columns(banded):
    X, Y = banded.stimuli.astype(float), banded.responses.astype(float)
    tried = [(band, alpha) for band, alpha in all_bands([1.0, 0.05, 0.0]) if alpha in (3, 30)]
    model = BandedRidgeCV(banded.features, [3, 30], [1.0, 0.05, 0.0], RunKFold(4)).fit(X, Y, runs=banded.runs)
    for voxel, (band, alpha) in enumerate(choose(banded, tried, RunKFold(4))[1]):
        np.testing.assert_allclose(band, alpha / model.best_alphas_[:, voxel])
        expected = Ridge(alpha).fit(scaled(X, band), Y[:, voxel])
        np.testing.assert_allclose(model.coef_[voxel], scaled(expected.coef_, band), atol=1e-9)
        np.testing.assert_allclose(model.predict(X)[:, voxel], expected.predict(scaled(X, band)), atol=1e-9)
    assert np.isinf(model.best_alphas_).any() and len(np.unique(model.best_alphas_.T, axis=0)) > 3


@quiet
def test_voxels_out_of_view_are_scored_by_the_other_runs(banded):
    responses = banded.responses.copy()
    responses[banded.runs == 1, 2], responses[banded.runs > 0, 5], responses[:, 6] = 0, 1.5, 2.5
    partly = dataclasses.replace(banded, responses=responses, features=dict(first=range(7), second=range(7, 15)))
    both = partly, partly.take(banded.runs != 1)
    found, alone = (partition_variance(some, [3, 30], RATIOS, LeaveOneGroupOut()) for some in both)
    np.testing.assert_allclose(found.scores[[0, 2, 3], 2], alone.scores[:, 2], atol=1e-7)
    assert found.scores[1, 2] == pytest.approx(alone.scores[:, 2].mean()) and not found.scores[:, 5:7].any()
    assert (search_alpha(partly, [1.0, 100.0], 4).chosen[:, 5:7] == 1).all(), "of equal penalties the smaller one"


@quiet
def test_more_features_than_samples(banded):
    """Columns are rotated then, and parts have to be those of the columns as they were."""
    X, Y = np.random.default_rng(3).normal(size=(len(banded.runs), 400)), banded.responses[:, :1].astype(float)
    wide = Samples.from_arrays(X, Y, banded.runs, features={"first": 150, "second": 250})
    found, plain = partition_variance(wide, ALPHAS, [1.0], cv=4), search_alpha(wide, ALPHAS, cv=4)
    np.testing.assert_allclose(found.scores, plain.scores, atol=1e-7)
    folds = zip(plain.chosen[:, 0], RunKFold(4).split(X, groups=wide.runs), strict=True)
    parts = [parts_of(alpha, X, Y[:, 0], *fold, np.arange(400) >= 150) for alpha, fold in folds]
    np.testing.assert_allclose(found.split.to_numpy()[0], np.mean(parts, axis=0), atol=1e-5)


def test_choices_at_the_edge_are_pointed_out(samples):
    """Of voxels that are predicted: silent ones choose the largest penalty, whatever it is."""
    some = samples.take(voxels=[0, 5, 10, 15, 20, *sorted(MARKED_COLUMNS)])
    few = [60, 180, 600, 1800, 6000]  # only some of the choices are at the edge
    for alphas, word in (([1e-3, 1e-2], "largest penalty, 0.01"), (few, "smallest penalty, 60")):
        with pytest.warns(UserWarning, match=f"are the {word}.*extend alphas"):
            search_alpha(some, alphas, cv=4)
    search_alpha(some, [100.0], cv=4)  # of one penalty there is no edge
    search = search_alpha(some, cv=4)
    np.testing.assert_allclose(search.alphas, np.geomspace(1, 1e5, 20))
    assert (search.chosen == search.alphas[-1]).any()


def test_what_cannot_be_searched_is_refused(banded):
    few = [(range(9), range(9, 12))] * 3
    for cv, message in ((few, "needs 3 folds"), (LeaveOneOut(), "scores on a single sample")):
        with pytest.raises(ValueError, match=message):
            search_alpha(banded, cv=cv)
    with pytest.raises(ValueError, match="has 0 spaces; expected two or more"):
        partition_variance(dataclasses.replace(banded, features=None))
