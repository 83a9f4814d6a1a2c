"""Better than chance? Scores against those of a recording in which nothing can answer to its image."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control

from ..errors import RecordingError
from ..models.batches import map_chunks, one_thread
from ..models.ridge import as_r2, solve_folds, with_constant
from ..models.sums import Sums


@dataclass(frozen=True)
class PermutationTest:
    """What a permutation test found.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_voxels,)
        R2 on held-out runs, mean over the folds.
    p_values : ndarray of float64, shape (n_voxels,)
        How often chance does as well: ``(1 + n_at_least) / (1 + n_permutations)``, where ``n_at_least`` counts the
        permutations whose score is at least that of the voxel [1]_.
    largest : ndarray of float64, shape (n_permutations,)
        The best score of any voxel in each permutation; where there is a voxel that never changes, it is at least 0.

    References
    ----------
    .. [1] Phipson and Smyth (2010). Permutation p-values should never be zero. Statistical Applications in Genetics and
       Molecular Biology 9, article 39.
    """

    scores: np.ndarray
    p_values: np.ndarray
    largest: np.ndarray

    def family_threshold(self, rate=0.05):
        """The score above which not even one voxel lies by chance, except in few of many experiments.

        Scores above it are those that chance reaches *anywhere in the brain* with a p-value of at most ``rate``,
        where ::

            p = (1 + number of permutations whose largest score is at least this one) / (1 + n_permutations),

        the single threshold test of [1]_. If no voxel answers to the screen, any voxel at all passes in at most this
        share of experiments, however the voxels depend on each other.

        Parameters
        ----------
        rate : float
            Family-wise error rate, above 0 and below 1.

        Returns
        -------
        threshold : float
            A voxel passes if its score is larger.

        Raises
        ------
        RecordingError
            If there are too few permutations for any score to pass.

        References
        ----------
        .. [1] Nichols and Holmes (2002). Nonparametric permutation tests for functional neuroimaging: a primer with
           examples. Human Brain Mapping 15(1), 1-25.
        """
        check_rate(rate)
        check_permutations(len(self.largest), rate)
        # So many of all scores, the observed one among them, are as large as one that passes; 1e-9 is for rounding.
        n_as_large = int(rate * (1 + len(self.largest)) + 1e-9)
        return float(np.sort(self.largest)[-n_as_large])

    def discoveries(self, rate=0.05):
        """The voxels that count as found if a certain share of them may be false.

        The p-values are put in order, ``p[1] <= ... <= p[m]``; those up to the last ``k`` with ``p[k] <= k / m * rate``
        are found [1]_. If the voxels are independent, or depend on each other positively [2]_, a share of at most
        ``rate`` of what is found is false, on average over experiments.

        Parameters
        ----------
        rate : float
            False discovery rate, above 0 and below 1.

        Returns
        -------
        found : ndarray of bool, shape (n_voxels,)

        References
        ----------
        .. [1] Benjamini and Hochberg (1995). Controlling the false discovery rate: a practical and powerful approach to
           multiple testing. Journal of the Royal Statistical Society B 57(1), 289-300.
        .. [2] Benjamini and Yekutieli (2001). The control of the false discovery rate in multiple testing under
           dependency. The Annals of Statistics 29(4), 1165-1188.
        """
        check_rate(rate)
        # The adjusted p-values come out of divisions; 1e-9 is for their rounding.
        return false_discovery_control(self.p_values) <= rate + 1e-9


def check_rate(rate):
    """Refuse what cannot be an error rate.

    Raises
    ------
    RecordingError
        If it is not above 0 and below 1.
    """
    if not 0 < rate < 1:
        raise RecordingError(f"rate={rate}: an error rate lies above 0 and below 1, such as 0.05.")


def check_permutations(n_permutations, rate):
    """Refuse permutations that are so few that not even the smallest p-value reaches the error rate.

    Raises
    ------
    RecordingError
        If ``1 / (1 + n_permutations)`` is above ``rate``.
    """
    least = int(np.ceil(1 / rate - 1e-9)) - 1  # 1e-9 is for rounding
    if n_permutations < least:
        raise RecordingError(
            f"n_permutations={n_permutations} is too few for a rate of {rate:g}: expected at least {least}."
        )


def shift_within_runs(runs, rng):
    """Move the rows of each run on by a random number of places; what leaves at the end comes in at the start.

    Neighbours stay neighbours, but for one pair in a run. What was shifted is as autocorrelated as before, only no
    longer in step with what was not. Each number of places is as likely, 0 included: so the shifts are a group, which
    a permutation test needs to be exact [1]_.

    Parameters
    ----------
    runs : ndarray of int, shape (n_samples,)
        Run of each row.
    rng : numpy.random.Generator

    Returns
    -------
    order : ndarray of int, shape (n_samples,)
        ``stimuli[order]`` are the shifted images.

    Raises
    ------
    RecordingError
        If a run has less than two rows.

    References
    ----------
    .. [1] Hemerik and Goeman (2018). Exact testing with random permutations. TEST 27(4), 811-825.
    """
    order = np.empty(len(runs), dtype=int)
    for run in np.unique(runs):
        rows = np.flatnonzero(runs == run)
        if len(rows) < 2:
            raise RecordingError(f"Run {run + 1} has {len(rows)} sample; it cannot be shifted. Expected at least two.")
        order[rows] = np.roll(rows, rng.integers(len(rows)))
    return order


def permutation_test(
    samples, alpha=100.0, n_splits=10, n_permutations=200, *, rng, reorder=shift_within_runs, n_jobs=None
):
    """Test the score of each voxel against scores that can only be chance.

    A permutation puts the images of each run into another order, then fits and scores all anew. The folds, the penalty
    and the responses with their noise are the same; only the images no longer belong to them. By default, the images of
    each run are shifted in a circle. That keeps the autocorrelation of both sides, and nothing passes from one run to
    another. It takes the noise of a run to be of one kind from the first volume to the last.

    To shift only the finished predictions against the responses would be quicker, and wrong. What predicts fold a was
    learned from fold b too, and the other way round, so both scores contain the same products of the responses of a and
    b: chance makes them good or bad together. Shifted predictions lose that tie. Their scores scatter less than chance
    does, by a factor of up to the square root of 2, and too many voxels pass.

    Parameters
    ----------
    samples : Samples
    alpha, n_splits
        As in :func:`~voxelwise.cross_validate_ridge`.
    n_permutations : int
        How many. The smallest p-value that can come out is ``1 / (1 + n_permutations)``.
    rng : numpy.random.Generator
        Draws the orders, once for all voxels.
    reorder : callable
        Called as ``reorder(runs, rng)`` for each permutation, returns the new order of the rows, as
        :func:`shift_within_runs` does. No row may leave its run.
    n_jobs : int, optional
        How many chunks of voxels are worked on at a time, as in joblib.

    Returns
    -------
    test : PermutationTest
        A voxel that never changes has a score of 0 and a p-value of 1.

    Raises
    ------
    RecordingError
        If there are no permutations, a run is too short to be shifted, ``alpha`` is negative or the runs cannot fill
        the folds; before anything is computed.
    """
    if n_permutations < 1:
        raise RecordingError(f"n_permutations={n_permutations}: expected at least 1, and 99 or more to learn anything.")
    orders = [reorder(samples.runs, rng) for _ in range(n_permutations)]
    folds, image_of_row = _prepare_folds(samples, alpha, n_splits)
    shown = [image_of_row[order] for order in orders]
    n_voxels = samples.responses.shape[1]
    scores, n_at_least, largest = np.empty(n_voxels), np.empty(n_voxels), np.full(n_permutations, -np.inf)
    for columns, found in map_chunks(_test_chunk, samples.responses, folds, image_of_row, shown, n_jobs=n_jobs):
        scores[columns], n_at_least[columns], largest_here = found
        largest = np.maximum(largest, largest_here)
    return PermutationTest(scores, (1 + n_at_least) / (1 + n_permutations), largest)


@dataclass(frozen=True)
class _Fold:
    """What all permutations and voxels share: a new order leaves the images of a fold, and so its inverse, as they are.

    An image is often on the screen for several volumes, and they have one prediction. So the responses to an image are
    added up first, and all else is done once for an image.
    """

    rows: np.ndarray  # of the samples
    images: slice  # numbers of its different images
    pixels: np.ndarray  # of these images and a constant, shape (n_images, n_pixels + 1)
    n_shown: np.ndarray  # volumes of each image, shape (n_images, 1)
    predictor: np.ndarray  # times X'Y of the other folds: the predictions of these images

    def in_float32(self):
        """Half the digits, twice as fast."""
        arrays = (array.astype(np.float32) for array in (self.pixels, self.n_shown, self.predictor))
        return _Fold(self.rows, self.images, *arrays)


@one_thread
def _prepare_folds(samples, alpha, n_splits):
    """The folds, and the number of the image that belongs to each row; no two folds share a number."""
    folds, image_of_row, start = [], np.empty(len(samples.runs), dtype=int), 0
    for rows, solver in zip(*solve_folds(samples, alpha, n_splits), strict=True):
        images, which, n_shown = np.unique(samples.stimuli[rows], axis=0, return_inverse=True, return_counts=True)
        pixels = with_constant(images)
        image_of_row[rows] = start + which.ravel()
        numbers = slice(start, start + len(images))
        folds.append(_Fold(rows, numbers, pixels, n_shown[:, np.newaxis], pixels @ solver))
        start += len(images)
    return folds, image_of_row


def _test_chunk(responses, folds, image_of_row, shown):
    """Of a chunk of voxels: scores, how many permutations score at least as well, best score of each permutation.

    Scores that are only compared with each other need no more digits than float32 has; all of these are made alike, so
    that an order that changes nothing makes no difference.
    """
    exact = np.ascontiguousarray(responses, np.float64)
    tests = [Sums.of(exact[fold.rows, :0], exact[fold.rows]) for fold in folds]
    scores = _mean_score(exact, tests, folds, image_of_row)
    responses, folds = exact.astype(np.float32), [fold.in_float32() for fold in folds]
    observed = _mean_score(responses, tests, folds, image_of_row)
    n_at_least, largest = np.zeros(len(scores), dtype=int), []
    for images in shown:
        by_chance = _mean_score(responses, tests, folds, images)
        n_at_least += by_chance >= observed
        largest.append(by_chance.max())
    return scores, n_at_least, np.array(largest)


def _mean_score(responses, tests, folds, image_of_row):
    """Mean over the folds of R2 for each voxel, if these were the images that the rows answer to."""
    n_rows, n_images = len(image_of_row), folds[-1].images.stop
    ones = np.ones(n_rows, responses.dtype)
    add_up = csr_array((ones, (image_of_row, np.arange(n_rows))), shape=(n_images, n_rows))
    by_image = add_up @ responses
    products = [fold.pixels.T @ by_image[fold.images] for fold in folds]
    total, scores = sum(products), 0
    for fold, test, xy in zip(folds, tests, products, strict=True):
        predicted = fold.predictor @ (total - xy)
        error = fold.n_shown * predicted - 2 * by_image[fold.images]
        scores = scores + as_r2(test.yy + np.einsum("iv,iv->v", predicted, error), test)
    return scores / len(folds)
