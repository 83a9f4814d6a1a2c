"""The permutation test: does it keep its promise where nothing answers, in noise that is strongly autocorrelated?"""

import dataclasses

import numpy as np
import pytest
from scipy.signal import detrend, lfilter
from scipy.stats import binomtest, ttest_1samp, zscore
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

import voxelwise as vw
from tests.plain import plain_loop
from voxelwise import PermutationTest, permutation_test, shift_within_runs


def run(samples, seed=0, n_permutations=39, cv=3, alpha=10.0, **how):
    return permutation_test(samples, alpha, cv, n_permutations, **dict(rng=np.random.default_rng(seed)) | how)


def stay(runs, rng):
    return np.arange(len(runs))


def simulate(seed, n_voxels=40, n_strong=0):
    """6 runs of 8 trials, of 3 volumes and 3 of rest. Only the first voxels answer, to one pixel; all share noise."""
    rng = np.random.default_rng([20, seed])
    trials = rng.integers(0, 2, (6, 8, 1, 9)).repeat(3, axis=2)
    trials = np.pad(trials, ((0, 0), (0, 0), (0, 3), (0, 0)), constant_values=-1).reshape(6, 48, 9)
    stimuli = np.pad(trials, ((0, 0), (5, 5), (0, 0)), constant_values=-1)
    white = rng.normal(size=(6, 78, n_voxels)) + rng.normal(size=(6, 78, 1))
    noise = lfilter([1.0], [1.0, -0.6], white, axis=1)[:, 20:]
    noise[..., :n_strong] += 4 * stimuli[..., :1]
    responses = zscore(detrend(noise, axis=1), axis=1).reshape(-1, n_voxels)
    return vw.Samples.from_arrays(stimuli.reshape(-1, 9), responses, np.repeat(range(6), 58), stimulus_shape=(3, 3))


def test_what_is_silent_passes_at_the_stated_rate():
    """Voxels by their p-values; any voxel at all by the threshold; none is found more often.

    The recording is the unit: its voxels share noise, and pass together or not at all.
    """
    tests, rate = [run(simulate(seed), seed) for seed in range(40)], 0.2
    for kind in ("p_values", "pooled_p_values"):
        passed = [(getattr(test, kind) <= rate).mean() for test in tests]
        assert ttest_1samp(passed, rate).pvalue > 0.01
        assert np.std(passed) > 1.5 * np.sqrt(rate * (1 - rate) / 40), "more than independent voxels do"
    some_pass = sum((test.scores > test.family_threshold(rate)).any() for test in tests)
    assert binomtest(some_pass, 40, rate).pvalue > 0.01
    assert binomtest(sum(test.discoveries(rate).any() for test in tests), 40, rate, "greater").pvalue > 0.01


def test_it_is_the_plain_loop_over_reordered_stimuli(small_samples):
    """Runs with a length and a mean of their own. Pooled p-values are of each score among the others of its voxel."""
    noise = np.random.default_rng(0).normal(size=(120, 50)) * np.geomspace(0.1, 100, 50) + small_samples.runs[:, None]
    small_samples = dataclasses.replace(small_samples, responses=np.float32(small_samples.responses + noise))
    splits = [(np.flatnonzero(small_samples.runs < n), np.flatnonzero(small_samples.runs == n)) for n in (3, 2)]
    rng = np.random.default_rng(3)
    orders = [shift_within_runs(small_samples.runs, rng) for _ in range(6)]
    reordered = [dataclasses.replace(small_samples, stimuli=small_samples.stimuli[order]) for order in orders]
    null = np.array([plain_loop(each, Ridge(2.0), splits)[0].mean(axis=0) for each in reordered])
    test = run(small_samples, 3, 6, splits, alpha=2.0)
    np.testing.assert_allclose(test.scores, vw.cross_validate_ridge(small_samples, 2.0, splits).mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(test.permutation_scores, null, atol=1e-4)
    np.testing.assert_allclose(test.largest, null.max(axis=1), atol=1e-4)
    np.testing.assert_array_equal(test.p_values, (1 + (null >= test.scores).sum(axis=0)) / 7)

    def standardize(score, others):
        return (score - others.mean()) / np.sqrt(others.var(ddof=1) * (1 + 1 / len(others)))

    t = [standardize(score, np.delete(of_voxel, i)) for of_voxel in null.T for i, score in enumerate(of_voxel)]
    expected = [(1 + np.sum(t >= standardize(*pair))) / 301 for pair in zip(test.scores, null.T, strict=True)]
    np.testing.assert_allclose(test.pooled_p_values, expected, atol=1.1 / 301, err_msg="rounding may swap two")
    assert test.pooled_p_values.max() > 0.02 and test.pooled_p_values.min() < 0.004


def test_a_shift_keeps_runs_and_neighbours_and_every_shift_is_as_likely():
    runs, rng = np.repeat([0, 1, 4], [5, 2, 9]), np.random.default_rng(0)
    orders = np.array([shift_within_runs(runs, rng) for _ in range(1500)])
    shifts = orders[:, [0, 5, 7]] - [0, 5, 7]
    for shift, length, start in zip(shifts.T, (5, 2, 9), (0, 5, 7), strict=True):
        rows = start + (np.arange(length) + shift[:, np.newaxis]) % length
        np.testing.assert_array_equal(orders[:, start : start + length], rows)
        counts = np.bincount(shift, minlength=length)
        assert np.abs(counts - 1500 / length).max() < 4 * np.sqrt(1500 / length)
    assert np.abs(np.corrcoef(shifts.T)[np.triu_indices(3, 1)]).max() < 0.1, "each run for itself"


def test_a_voxel_that_never_changes_and_a_tie_are_no_finding():
    samples = simulate(0)
    with pytest.raises(ValueError, match=r"n_permutations=2: .*whole number of at least 3"):
        run(samples, n_permutations=2)
    samples.responses[:, 2], samples.responses[:, 4] = 0, 3.7
    found, tied = run(samples), run(samples, reorder=stay)
    assert not found.scores[[2, 4]].any()
    for p_values in (found.p_values[[2, 4]], found.pooled_p_values[[2, 4]], tied.p_values, tied.pooled_p_values):
        assert (p_values == 1).all()


def with_pooled(percent, n_permutations=99):
    p_values = np.array(percent) / 100
    return PermutationTest(0 * p_values, p_values**0, p_values, np.zeros((n_permutations, len(p_values))))


def test_discoveries_by_hand():
    """Of four voxels, the limits at 0.05 are 0.0125, 0.025, 0.0375, 0.05; who keeps one takes all before it along."""
    for percent, found in (((3, 50, 1, 4), [2]), ((3, 50, 2, 3), [0, 2, 3]), ((5, 5), [0, 1])):
        assert np.flatnonzero(with_pooled(percent).discoveries(0.05)).tolist() == found
    # Of 40 voxels, one needs 0.05 / 40; 19 permutations can give 1 / 761, and 20 can give 1 / 801.
    with pytest.warns(UserWarning, match=r"n_permutations=19 a single one could not be. Draw at least 20 perm"):
        assert not with_pooled([50] * 40, 19).discoveries(0.05).any()
    assert not with_pooled([50] * 40, 20).discoveries(0.05).any()
    with pytest.warns(UserWarning, match="Draw at least 400"):  # 2 of 40 vary: only these have scores by chance
        assert not with_pooled([50] * 2 + [100] * 38, 20).discoveries(0.05).any()


def test_thresholds_by_hand():
    """Of ten scores with the observed one, two are a share of 0.2: one of the nine may be as large."""
    one = np.zeros(1), np.ones(1), np.ones(1)
    test = PermutationTest(*one, np.array([[4.0, 9, 2, 7, 1, 8, 3, 6, 5]]).T)
    assert [test.family_threshold(rate) for rate in (0.1, 0.19, 0.2, 0.3, 0.7)] == [9, 9, 8, 7, 3]
    many = PermutationTest(*one, np.arange(99.0)[:, np.newaxis])
    assert many.family_threshold(0.29) == 70, "0.29 * 100 is a little less than 29"
    with pytest.raises(ValueError, match=r"n_permutations=9 is too few for a rate of 0.05: expected at least 19"):
        test.family_threshold(0.05)
    for ask in (test.discoveries, test.family_threshold):
        with pytest.raises(ValueError, match="rate=5: an error rate"):
            ask(5)


def test_what_cannot_be_tested_is_refused():
    samples = simulate(0)
    with pytest.raises(ValueError, match="cuts a run in two"):
        run(samples, cv=KFold(5))
    with pytest.raises(ValueError, match="rng=0: expected a generator"):
        run(samples, rng=0)
    with pytest.raises(ValueError, match="reorder: expected each row once, and in its run"):
        run(samples, reorder=lambda runs, rng: rng.permutation(len(runs)))


def test_the_unit_of_the_responses_changes_nothing():
    samples = simulate(0, n_strong=5)
    for unit in np.float32([2.0**-100, 2.0**100]):  # squares are beyond float32
        same = run(dataclasses.replace(samples, responses=unit * samples.responses))
        np.testing.assert_array_equal(same.permutation_scores, run(samples).permutation_scores)
