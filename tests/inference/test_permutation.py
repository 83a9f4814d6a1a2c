"""The permutation test: does it keep its promise where nothing answers, and find what does?

Small recordings in blocks, as the book's, with noise that is strongly autocorrelated. Two shortcuts that look alike, and
do not keep the promise, show that the tests would see it.
"""

import dataclasses

import numpy as np
import pytest
from scipy.signal import detrend, lfilter
from scipy.stats import binomtest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from voxelwise import (
    PermutationTest,
    RecordingError,
    RunKFold,
    Samples,
    cross_validate_ridge,
    load_recording,
    load_samples,
    permutation_test,
    predict_ridge,
    shift_within_runs,
)
from voxelwise.models.batches import BATCH_SIZE

SETTINGS = dict(alpha=10.0, cv=3, n_permutations=99)
N_RECORDINGS, N_VOXELS = 100, 40


def simulate(seed, shares=(0.0,) * N_VOXELS, n_runs=6, n_volumes=58):
    """Voxels in which a share of the variance answers to one pixel each; 8 images a run, 3 volumes each and 3 of rest."""
    rng = np.random.default_rng([20, seed])
    shares = np.asarray(shares)
    stimuli, responses = [], []
    for _ in range(n_runs):
        shown = np.full((n_volumes, 9), -1.0)
        for number, image in enumerate(rng.integers(0, 2, (8, 9))):
            shown[5 + 6 * number : 8 + 6 * number] = image
        signal = shown[:, np.arange(len(shares)) % 9]
        noise = lfilter([1.0], [1.0, -0.6], rng.normal(size=(20 + n_volumes, len(shares))), axis=0)[20:]
        mixed = np.sqrt(shares) * signal / signal.std(axis=0) + np.sqrt(1 - shares) * noise / noise.std(axis=0)
        cleaned = detrend(mixed, axis=0)
        stimuli.append(shown)
        responses.append(cleaned / cleaned.std(axis=0))
    stimuli, responses = np.concatenate(stimuli).astype(np.float32), np.concatenate(responses).astype(np.float32)
    return Samples(stimuli, responses, np.repeat(np.arange(n_runs), n_volumes), (3, 3), None)


def shuffle_volumes(runs, rng):
    """Single volumes in any order within their run: what was autocorrelated no longer is."""
    return np.lexsort((rng.random(len(runs)), runs))


def shift_predictions(samples, rng, alpha, cv, n_permutations):
    """P-values without a new fit: the finished predictions against responses that they do not belong to."""
    folds = [test for _, test in RunKFold(cv).split(groups=samples.runs)]
    predictions = predict_ridge(samples, range(samples.responses.shape[1]), alpha, cv)

    def score(order):
        pairs = [(samples.responses[rows], predictions[order[rows]]) for rows in folds]
        return np.mean([1 - ((y - p) ** 2).mean(axis=0) / y.var(axis=0) for y, p in pairs], axis=0)

    null = np.array([score(shift_within_runs(samples.runs, rng)) for _ in range(n_permutations)])
    return (1 + (null >= score(np.arange(len(samples.runs)))).sum(axis=0)) / (1 + n_permutations)


@pytest.fixture(scope="module")
def silent_tests():
    """The test of many recordings in which no voxel answers to anything."""
    return [
        permutation_test(simulate(seed), **SETTINGS, rng=np.random.default_rng(seed)) for seed in range(N_RECORDINGS)
    ]


def agree_with(rate, passed, alternative="two-sided"):
    """Whether chance makes a share of passes like this of the rate, 99 times in 100."""
    return binomtest(int(np.sum(passed)), np.size(passed), rate, alternative).pvalue > 0.01


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_silent_voxels_pass_at_the_stated_rate(silent_tests, rate):
    assert agree_with(rate, [test.p_values <= rate for test in silent_tests])


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_any_silent_voxel_at_all_passes_at_the_stated_rate(silent_tests, rate):
    assert agree_with(rate, [(test.scores > test.family_threshold(rate)).any() for test in silent_tests])
    all_false = [test.discoveries(rate).any() for test in silent_tests]
    assert agree_with(rate, all_false, "greater"), "may be rarer: few permutations make coarse p-values"


def test_shuffled_volumes_let_too_many_pass():
    """Planted: the null without the autocorrelation. The same check as above must fail."""
    passed = [
        permutation_test(simulate(seed), **SETTINGS, rng=np.random.default_rng(seed), reorder=shuffle_volumes).p_values
        <= 0.05
        for seed in range(N_RECORDINGS // 2)
    ]
    assert not agree_with(0.05, passed) and np.mean(passed) > 0.07


def test_shifted_predictions_let_too_many_pass():
    """Planted: folds that no longer learn from each other's responses. The same check as above must fail."""
    passed = [
        shift_predictions(simulate(seed), np.random.default_rng(seed), **SETTINGS) <= 0.05
        for seed in range(N_RECORDINGS // 2)
    ]
    assert not agree_with(0.05, passed) and np.mean(passed) > 0.07


def test_what_answers_is_found():
    """The more of a voxel is signal, the surer; each rule is stricter than the one before."""
    shares = np.repeat([0.0, 0.02, 0.1, 0.3], 20)
    tests = [
        permutation_test(simulate(seed, shares), **SETTINGS, rng=np.random.default_rng(seed)) for seed in range(20)
    ]
    alone, discovered, family = (
        np.mean([rule(test) for test in tests], axis=0).reshape(4, 20).mean(axis=1)
        for rule in (
            lambda t: t.p_values <= 0.05,
            lambda t: t.discoveries(0.05),
            lambda t: t.scores > t.family_threshold(0.05),
        )
    )
    assert alone[0] < 0.08 and discovered[0] < 0.04 and family[0] < 0.01, "what answers does not help what does not"
    for found, half in ((alone, 0.8), (discovered, 0.6), (family, 0.3)):
        assert (np.diff(found) > 0).all() and found[2] > half and found[3] == 1


def test_false_discoveries_are_few_among_what_is_found():
    """Three of four voxels answer nothing: their share of what is found, on average, is at most the rate."""
    shares = np.repeat([0.0, 0.15], [60, 20])
    false = []
    for seed in range(30):
        found = permutation_test(simulate(seed, shares), **SETTINGS, rng=np.random.default_rng(seed)).discoveries(0.2)
        assert found[60:].mean() > 0.8
        false.append(found[:60].sum() / found.sum())
    assert np.mean(false) < 0.2 + 2.6 * np.std(false) / np.sqrt(len(false))
    assert np.mean(false) > 0.05, "a rate of 0.2 is made use of"


def test_silent_voxels_of_the_simulated_recording_pass_at_the_stated_rate(recording, samples):
    silent = np.flatnonzero(recording.truth["share"] == 0)[::5]
    some = dataclasses.replace(samples, responses=samples.responses[:, silent])
    passed = permutation_test(some, n_permutations=99, rng=np.random.default_rng(0)).p_values <= 0.05
    assert agree_with(0.05, passed)


def plain_null(samples, alpha, n_splits, orders):
    """Scores of each order by nothing but scikit-learn, shape (n_orders, n_voxels)."""
    null = []
    for order in orders:
        x, y, scores = samples.stimuli[order].astype(float), samples.responses.astype(float), []
        for _, rows in RunKFold(n_splits).split(groups=samples.runs):
            train = np.setdiff1d(np.arange(len(x)), rows)
            predicted = Ridge(alpha).fit(x[train], y[train]).predict(x[rows])
            scores.append(r2_score(y[rows], predicted, multioutput="raw_values"))
        null.append(np.mean(scores, axis=0))
    return np.array(null)


@pytest.mark.parametrize("grey", [False, True], ids=["few images", "each volume another image"])
@pytest.mark.parametrize("reorder", [shift_within_runs, shuffle_volumes])
def test_it_is_the_plain_loop_over_reordered_images(small_folder, grey, reorder):
    """Runs of different length. Every single null score is compared: of one voxel, the largest is the only one."""
    samples = load_samples(load_recording(small_folder), lag=0)
    if grey:
        stimuli = samples.stimuli + np.random.default_rng(5).normal(size=samples.stimuli.shape)
        samples = dataclasses.replace(samples, stimuli=stimuli.astype(np.float32))
    rng = np.random.default_rng(3)
    null = plain_null(samples, 2.0, 3, [reorder(samples.runs, rng) for _ in range(6)])
    test = permutation_test(samples, 2.0, 3, 6, rng=np.random.default_rng(3), reorder=reorder)
    np.testing.assert_allclose(test.scores, cross_validate_ridge(samples, 2.0, 3).mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(test.largest, null.max(axis=1), atol=1e-4)
    np.testing.assert_array_equal(test.p_values, (1 + (null >= test.scores).sum(axis=0)) / 7)
    for voxel in (0, 7):
        one = dataclasses.replace(samples, responses=samples.responses[:, [voxel]])
        alone = permutation_test(one, 2.0, 3, 6, rng=np.random.default_rng(3), reorder=reorder)
        np.testing.assert_allclose(alone.largest, null[:, voxel], atol=1e-4)


def test_voxels_do_not_depend_on_their_chunk(samples):
    some = dataclasses.replace(samples, responses=samples.responses[:, : BATCH_SIZE + 40])
    settings = dict(cv=4, n_permutations=19)
    together = permutation_test(some, **settings, rng=np.random.default_rng(1))
    parts = [
        permutation_test(dataclasses.replace(some, responses=part), **settings, rng=np.random.default_rng(1))
        for part in np.split(some.responses, [130, 400], axis=1)
    ]
    np.testing.assert_array_equal(np.concatenate([part.p_values for part in parts]), together.p_values)
    np.testing.assert_allclose(np.concatenate([part.scores for part in parts]), together.scores, atol=1e-9)
    np.testing.assert_allclose(np.max([part.largest for part in parts], axis=0), together.largest, atol=1e-6)


def test_another_generator_another_answer():
    samples = simulate(0)
    first, same, other = (permutation_test(samples, **SETTINGS, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.p_values, same.p_values)
    assert (first.largest != other.largest).mean() > 0.9


def test_a_voxel_that_never_changes_is_no_finding():
    samples = simulate(0)
    responses = samples.responses.copy()
    responses[:, 2], responses[:, 4] = 0, 3.7
    test = permutation_test(dataclasses.replace(samples, responses=responses), **SETTINGS, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(test.scores[[2, 4]], 0)
    np.testing.assert_array_equal(test.p_values[[2, 4]], 1)
    assert not test.discoveries(0.5)[[2, 4]].any() and not (test.scores > test.family_threshold(0.5))[[2, 4]].any()
    assert np.isfinite(test.p_values).all() and np.isfinite(test.largest).all()


def test_a_shift_keeps_runs_and_neighbours_and_every_shift_is_as_likely():
    runs = np.repeat([0, 1, 4], [5, 2, 9])
    rng = np.random.default_rng(0)
    shifts = []
    for _ in range(3000):
        order = shift_within_runs(runs, rng)
        np.testing.assert_array_equal(runs[order], runs)
        first = [order[start] - start for start in (0, 5, 7)]
        for start, length, by in zip((0, 5, 7), (5, 2, 9), first, strict=True):
            np.testing.assert_array_equal(order[start : start + length] - start, (np.arange(length) + by) % length)
        shifts.append(first)
    for column, length in zip(np.transpose(shifts), (5, 2, 9), strict=True):
        counts = np.bincount(column, minlength=length)
        assert len(counts) == length and np.abs(counts - 3000 / length).max() < 4 * np.sqrt(3000 / length)
    assert np.abs(np.corrcoef(np.transpose(shifts))[np.triu_indices(3, 1)]).max() < 0.07, "each run for itself"


def with_p_values(*p_values):
    return PermutationTest(np.zeros(len(p_values)), np.array(p_values), np.zeros(99))


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        # Of four, the limits at 0.05 are 0.0125, 0.025, 0.0375, 0.05.
        ([0.03, 0.5, 0.01, 0.04], [False, False, True, False]),
        ([0.03, 0.5, 0.02, 0.03], [True, False, True, True]),  # the third keeps its limit; so the first two are in
        ([0.05, 0.05, 0.05, 0.05], [True] * 4),
        ([0.02, 0.9, 0.9, 0.9], [False] * 4),
    ],
)
def test_discoveries_by_hand(p_values, expected):
    assert with_p_values(*p_values).discoveries(0.05).tolist() == expected


def test_threshold_by_hand():
    """Of ten scores with the observed one, two are a share of 0.2: one of the nine may be as large."""
    test = PermutationTest(np.zeros(1), np.ones(1), np.array([4.0, 9, 2, 7, 1, 8, 3, 6, 5]))
    assert [test.family_threshold(rate) for rate in (0.1, 0.19, 0.2, 0.3, 0.7)] == [9, 9, 8, 7, 3]
    many = PermutationTest(np.zeros(1), np.ones(1), np.arange(99.0))
    assert many.family_threshold(0.29) == 70, "0.29 * 100 is a little less than 29"
    with pytest.raises(ValueError, match="n_permutations=9 is too few for a rate of 0.05: expected at least 19"):
        test.family_threshold(0.05)


@pytest.mark.parametrize("rate", [0, 1, -0.1, float("nan")])
def test_an_impossible_rate_is_refused(rate):
    for ask in (with_p_values(0.5).discoveries, with_p_values(0.5).family_threshold):
        with pytest.raises(ValueError, match=f"rate={rate}"):
            ask(rate)


def test_what_cannot_be_tested_is_refused():
    samples, rng = simulate(0), np.random.default_rng(0)
    with pytest.raises(ValueError, match="n_permutations=0"):
        permutation_test(samples, cv=3, n_permutations=0, rng=rng)
    with pytest.raises(ValueError, match="cv=10"):
        permutation_test(samples, n_permutations=1, rng=rng)
    with pytest.raises(ValueError, match="alpha=-1"):
        permutation_test(samples, -1, cv=3, n_permutations=1, rng=rng)
    runs = samples.runs.copy()
    runs[-1] = 6
    with pytest.raises(RecordingError, match="Run 7 has 1 sample"):
        permutation_test(dataclasses.replace(samples, runs=runs), cv=3, n_permutations=1, rng=rng)
