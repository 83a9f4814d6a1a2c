"""Better than chance? Scores against those of a recording in which nothing can answer to its image."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from ..data.cleaning import in_range
from ..data.samples import check_whole
from ..models.batches import map_voxels
from ..models.folds import draw_folds
from ..models.ridge import Predictors, check_alpha


@dataclass(frozen=True)
class PermutationTest:
    """What a permutation test found.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_voxels,)
        R2 on held-out runs, mean over the folds.
    p_values : ndarray of float64, shape (n_voxels,)
        How often chance does as well in this voxel: ``(1 + n_at_least) / (1 + n_permutations)``, for the number of
        permutations whose score is at least the voxel's (Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, 39).
    pooled_p_values : ndarray of float64, shape (n_voxels,)
        How often chance does as well *in any voxel*, which needs fewer permutations. Each score becomes Student's t
        against the other permutations' scores of its voxel; the t of all voxels and permutations together are what
        chance achieves (Storey and Tibshirani 2003, PNAS 100, 9440-9445). It takes their tails to be equally long.
    permutation_scores : ndarray of float32, shape (n_permutations, n_voxels)
        As ``scores``, by chance.
    """

    scores: np.ndarray
    p_values: np.ndarray
    pooled_p_values: np.ndarray
    permutation_scores: np.ndarray

    @property
    def largest(self):
        """The best score of any voxel in each permutation, an ndarray of shape (n_permutations,)."""
        return self.permutation_scores.max(axis=1)

    def family_threshold(self, rate=0.05):
        """The score above which not even one voxel lies by chance, but in a share ``rate`` of experiments.

        It is the single threshold test of Nichols and Holmes (2002, Human Brain Mapping 15, 1-25), which holds however
        the voxels depend on each other. A voxel passes if its score is larger.
        """
        return float(np.sort(self.largest)[-check_permutations(len(self.permutation_scores), rate)])

    def discoveries(self, rate=0.05):
        """The voxels that count as found if a certain share of them may be false: of bool, shape (n_voxels,).

        The procedure of Benjamini and Hochberg (1995, J. R. Stat. Soc. B 57, 289-300), for the pooled p-values. If the
        voxels are independent, or depend on each other positively (Benjamini and Yekutieli 2001, Ann. Statist. 29,
        1165-1188), a share of at most ``rate`` of what is found is false, on average over experiments. Where voxels
        share noise, most experiments have hardly a false one, and some have many. A UserWarning tells where none is
        found, as the permutations are too few for a single voxel, however well it is predicted.
        """
        check_rate(rate)
        found = false_discovery_control(self.pooled_p_values) <= rate + 1e-9  # 1e-9 is for rounding, here and below
        n_permutations, n_voxels = self.permutation_scores.shape
        n_vary = max((self.pooled_p_values < 1).sum(), 1)  # what never changes has no scores by chance
        n_enough = np.ceil((n_voxels / rate - 1) / n_vary - 1e-9)
        if not found.any() and n_permutations < n_enough:
            none = f"No voxel is found, and with n_permutations={n_permutations} a single one could not be."
            warnings.warn(f"{none} Draw at least {n_enough:.0f} permutations.", stacklevel=2)
        return found


def check_rate(rate):
    """Raise a ValueError unless this can be an error rate."""
    if not 0 < rate < 1:
        raise ValueError(f"rate={rate}: an error rate lies above 0 and below 1, such as 0.05.")


def check_permutations(n_permutations, rate):
    """How many of all scores, the observed one among them, an error rate lets pass; a ValueError if that is none."""
    check_rate(rate)
    n_passed = int(rate * (1 + n_permutations) + 1e-9)
    if not n_passed:
        few = f"n_permutations={n_permutations} is too few for a rate of {rate:g}"
        raise ValueError(f"{few}: expected at least {np.ceil(1 / rate - 1e-9) - 1:.0f}.")
    return n_passed


def check_generator(rng):
    """Raise a ValueError unless this is a generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng={rng!r}: expected a generator, such as numpy.random.default_rng(0).")


def shift_within_runs(runs, rng):
    """Move the rows of each run on by a random number of places; what leaves at the end comes in at the start.

    Each number is as likely, 0 included: the shifts are a group, as an exact test needs (Hemerik and Goeman 2018, TEST
    27, 811-825).

    Parameters
    ----------
    runs, rng : ndarray of int, shape (n_samples,), numpy.random.Generator

    Returns
    -------
    order : ndarray of int, shape (n_samples,)
        ``stimuli[order]`` are the shifted stimuli.
    """
    order = np.empty(len(runs), dtype=int)
    for run in np.unique(runs):
        rows = np.flatnonzero(runs == run)
        order[rows] = np.roll(rows, rng.integers(len(rows)))
    return order


def permutation_test(samples, alpha=100.0, cv=10, n_permutations=200, *, rng, reorder=shift_within_runs, n_jobs=None):
    """Test the score of each voxel against scores that can only be chance.

    A permutation puts the stimuli of each run into another order, by default shifted in a circle, then fits and scores
    all anew. That keeps the autocorrelation of both sides. It takes the noise of a run to be of one kind throughout:
    drop volumes in which the magnetization settles. To shift finished predictions would be quicker, and wrong: without
    what ties the folds to each other, their scores scatter less, by up to the square root of 2.

    Parameters
    ----------
    samples, alpha, cv, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`; no split may cut a run in two.
    n_permutations, rng : int, numpy.random.Generator
        How many orders, at least 3, are drawn once for all voxels, and by what; no p-value of a voxel alone can be
        smaller than ``1 / (1 + n_permutations)``.
    reorder : callable
        Called as ``reorder(runs, rng)``, makes one of them, as :func:`shift_within_runs` does. No row leaves its run.

    Returns
    -------
    test : PermutationTest
        A voxel that never changes has scores of 0 and a p-value of 1.
    """
    check_alpha(alpha)
    check_generator(rng)
    folds = draw_folds(cv, samples.runs, samples.stimuli, samples.responses)
    if folds.cut(samples.runs):
        raise ValueError(f"cv={cv}: a split cuts a run in two. Stimuli change places within runs; expected whole ones.")
    check_whole("n_permutations", n_permutations, 3, why="each score is compared with the spread of others; ")
    orders = [reorder(samples.runs, rng) for _ in range(n_permutations)]
    rows = np.arange(len(samples.runs))
    if not all(np.array_equal(np.sort(each), rows) and (samples.runs[each] == samples.runs).all() for each in orders):
        raise ValueError("reorder: expected each row once, and in its run; what changes runs reaches into training.")

    def prepare(rows):
        predictors = Predictors(samples.stimuli, folds.within(rows), alpha)
        shown = (predictors.row_of, *(predictors.row_of[order] for order in orders))
        return predictors, predictors.in_float32(), [predictors.adder(rows, np.float32) for rows in shown]

    scores = np.zeros(samples.responses.shape[1])  # what never changes scores 0, whatever the order
    by_order = np.zeros((1 + n_permutations, len(scores)), np.float32)
    for columns, found in map_voxels(prepare, _test_batch, samples, n_jobs=n_jobs):
        scores[columns], by_order[:, columns] = found
    # What is not a number is not below the observed score, and so never speaks for a voxel.
    n_at_least = (~(by_order[1:] < by_order[0])).sum(axis=0)
    p_values = (1 + n_at_least) / (1 + n_permutations)
    return PermutationTest(scores, p_values, _pool(by_order[0], by_order[1:]), by_order[1:])


def _test_batch(responses, prepared):
    """Of a batch of voxels: scores, and those with the stimuli in their own order and in all others, in float32."""
    predictors, rounded, adders = prepared
    y = in_range(np.subtract(responses, responses.mean(axis=0, dtype=np.float64), order="C"))
    by_row, mean, spreads = predictors.sums(y)
    scores = predictors.r2(by_row, spreads).mean(axis=0)
    # To compare, float32 will do. All are made alike, so that an order that changes nothing makes no difference.
    y = (y - mean).astype(np.float32)
    return scores, [rounded.r2(adder @ y, spreads).mean(axis=0) for adder in adders]


def _pool(observed, null):
    """Pooled p-values, from scores as they are and by chance."""
    n, mean = len(null), null.mean(axis=0, dtype=np.float64)
    observed, null = observed - mean, np.float32(null - mean)
    squares = np.einsum("pv,pv->v", null, null)
    varies = squares > 0  # neither 0 nor NaN
    observed, null, squares = observed[varies], null[:, varies], squares[varies]
    # A score that were part of its own mean and spread could not lie far out, as the observed one can.
    with np.errstate(divide="ignore", invalid="ignore"):  # others that are all alike
        t = null * np.sqrt(n / (n - 1) * (n - 2) / (squares - n / (n - 1) * null**2))
    t = np.sort(t, axis=None)  # NaN comes last, and counts as large
    p_values = np.ones(len(varies))
    n_below = np.searchsorted(t, observed * np.sqrt(n / (n + 1) * (n - 1) / squares))
    p_values[varies] = (1 + len(t) - n_below) / (1 + len(t))
    return p_values
