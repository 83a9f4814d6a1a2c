"""How good a score could be: the share of a voxel's variance that comes back when the image comes back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from ..data.samples import is_rest
from ..errors import RecordingError
from ..models.batches import map_voxels

# Columns of find_trials that say what was on the screen and since when.
_MOMENT = ["image", "volume", "rest"]


@dataclass(frozen=True)
class NoiseCeiling:
    """What the repeats of images tell about each voxel.

    Attributes
    ----------
    r2 : ndarray of float64, shape (n_voxels,)
        The R2 that a perfect model of the image would reach. It is not cut off at 0: for a voxel that answers
        nothing it is below 0 about as often as above. 0 for a voxel that never changes. Runs within which a voxel does
        not change are left out for it.
    error : ndarray of float64, shape (n_voxels,)
        Standard error of ``r2``.
    repeated : ndarray of bool, shape (n_samples,)
        The samples that it speaks of: those whose image is shown in another run too.
    """

    r2: np.ndarray
    error: np.ndarray
    repeated: np.ndarray


def find_trials(samples):
    """Which image each sample belongs to, and for how long it has.

    A block starts with an image and goes on, through the rest after it, until the next image starts.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    blocks : DataFrame, one row a sample
        ``run``; ``block``, numbered over all runs; ``image``, the same number for equal images, and -1 for the rest
        before the first image of a run; ``volume``, counted from 0 at the start of the block; ``rest``, whether the
        image is gone.
    """
    rest = is_rest(samples.stimuli)
    changed, new_run = np.ones((2, len(rest)), dtype=bool)
    changed[1:] = (samples.stimuli[1:] != samples.stimuli[:-1]).any(axis=1)
    new_run[1:] = samples.runs[1:] != samples.runs[:-1]
    first = np.flatnonzero(new_run | (changed & ~rest))
    block = np.repeat(np.arange(len(first)), np.diff([*first, len(rest)]))
    _, image = np.unique(samples.stimuli[first], axis=0, return_inverse=True)
    image = np.where(rest[first], -1, image.ravel())
    volume = np.arange(len(rest)) - first[block]
    return pd.DataFrame({"run": samples.runs, "block": block, "image": image[block], "volume": volume, "rest": rest})


def noise_ceiling(samples, n_jobs=None):
    """Estimate for each voxel the R2 of a perfect model, from images that are shown in more than one run.

    Two responses to the same image, as many volumes after its onset, share the signal. If they are of different
    runs they share nothing else: the noise of one run knows nothing of another's. So the product of the two is, on
    average, the square of the signal [1]_. With ``y_t`` for the response at sample t, less the mean of its run, and
    ``m_t`` for the mean response to the same image at the same volume of its block in all *other* runs, ::

        ceiling = sum_t y_t m_t / sum_t y_t^2 ,

    the variance of the signal as a share of the whole, and so the largest R2 that can be expected of a model [2]_,
    [3]_. Neither the sample itself nor its run is in ``m_t``: they would bring their noise along, and noise times
    itself is not 0 on average.

    A perfect model, here, knows the image of a block and the time since its onset. What the block before left behind
    differs from repeat to repeat, and counts as noise.

    The standard error is that of a ratio of two sums over blocks, if the n blocks of each image were recorded anew. A
    response enters the sum of products twice, as ``y`` and in the ``m`` of others, hence the 2::

        u_b = sum_(t in b) (2 y_t m_t - ceiling y_t^2) ,
        error^2 = sum_images n / (n - 1) sum_(b of image) (u_b - mean of u)^2 / (sum_t y_t^2)^2 .

    It is too large, by up to the square root of 2, for a voxel that answers nothing.

    Parameters
    ----------
    samples : Samples
        Of runs that show the same images again, such as the figure runs.
    n_jobs : int, optional
        How many batches of voxels are worked on at a time, as in joblib.

    Returns
    -------
    ceiling : NoiseCeiling

    Raises
    ------
    RecordingError
        If no image is shown in two runs.

    References
    ----------
    .. [1] Sahani and Linden (2003). How linear are auditory cortical responses? Advances in Neural Information
       Processing Systems 15, 125-132. Their signal power is the mean product of two different repeats.
    .. [2] Hsu, Borst and Theunissen (2004). Quantifying variability in neural responses and its application for the
       validation of model predictions. Network 15(2), 91-109.
    .. [3] Schoppe et al. (2016). Measuring the performance of neural models. Frontiers in Computational
       Neuroscience 10, 10.
    """
    blocks = find_trials(samples)
    repeated = _are_repeated(blocks)
    if not repeated.any():
        raise RecordingError(
            f"No stimulus is shown in two of the {blocks['run'].nunique()} runs. The noise ceiling is estimated from "
            "repeats in different runs: expected runs that share stimuli, such as the figure runs."
        )
    r2, error = np.zeros((2, samples.responses.shape[1]))

    def prepare(rows):
        rows[rows] = _are_repeated(blocks[rows])
        return (rows, blocks[rows]) if rows.any() else None

    for columns, found in map_voxels(prepare, _ceilings, samples, n_jobs=n_jobs):
        r2[columns], error[columns] = found
    return NoiseCeiling(r2, error, repeated)


def _are_repeated(blocks):
    """Which samples have a partner: the same stimulus, as many volumes after its onset, in another run."""
    n_runs = blocks.groupby(_MOMENT)["run"].transform("nunique")
    return ((blocks["image"] >= 0) & (n_runs > 1)).to_numpy()


def _ceilings(responses, prepared):
    """Ceilings of a batch of voxels and their standard errors, from the rows that are repeated and their blocks."""
    rows, blocks = prepared
    y = responses[rows].astype(np.float64)
    y -= y.mean(axis=0)
    raw = np.einsum("tv,tv->v", y, y)
    of_run, n_of_run = _sum_alike(y, blocks, ["run"])
    y -= of_run / n_of_run
    anywhere, n_anywhere = _sum_alike(y, blocks, _MOMENT)
    here, n_here = _sum_alike(y, blocks, [*_MOMENT, "run"])
    products = y * (anywhere - here) / (n_anywhere - n_here)
    squares = y**2
    total = squares.sum(axis=0)
    # What rounding leaves of a constant voxel's variance is no variance.
    total[total <= 1e-10 * raw] = np.inf
    ceiling = products.sum(axis=0) / total
    return ceiling, _error_of_sum(2 * products - ceiling * squares, blocks) / total


def _error_of_sum(u, blocks):
    """Standard error of a sum over samples, if the blocks of each image were recorded anew."""
    first = ~blocks["block"].duplicated().to_numpy()
    u = _sum_alike(u, blocks, ["block"])[0][first]
    of_image, n = _sum_alike(u, blocks[first], ["image"])
    return np.sqrt((n / (n - 1) * (u - of_image / n) ** 2).sum(axis=0))


def _sum_alike(values, blocks, columns):
    """For each row of a matrix, the sum over all rows that have the same labels, and how many these are (a column)."""
    group = blocks.groupby(columns).ngroup().to_numpy()
    counts = np.bincount(group)
    members = sparse.csr_array((np.ones(len(group)), (group, np.arange(len(group)))))
    return (members @ values)[group], counts[group, np.newaxis]
