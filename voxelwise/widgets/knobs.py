"""One voxel and three knobs: a ridge regression and a lasso that the page itself fits anew while the reader turns."""

from dataclasses import replace

import numpy as np
from scipy.interpolate import make_interp_spline

from ..features import with_delays
from ..models.folds import RunKFold
from ..models.receptive_fields import walk_receptive_fields
from ..models.ridge import check_alpha, cross_validate_ridge
from ..plotting.fitting import plot_overfitting
from ..plotting.style import FIELD_COLOURS
from .fragment import Fragment, build_fragment, mark, pack, pack_colours, pack_decimals, pack_truth

MAX_LAG = 5
EXPONENTS = 0, 6  # of the penalties that the knob reaches, as powers of ten; further where the book's lies further
LEAST_ALPHA = 1e-3  # a logarithmic knob has no 0
MAX_PIXELS = 256  # more would take a page too long to solve
MAX_NUMBERS = 375_000  # of two bytes, so that a page holds at most 1 MB of them
TOO_LARGE = (
    "Here a page lets you turn the penalty, the lag and the steps of the lasso. The stimuli of this recording are too "
    "large for a page to hold and to fit."
)
ALT = (
    "R2 of voxel A against the penalty of a ridge regression: on the training runs it falls, on held-out runs it may "
    "rise before it falls."
)


def turn_knobs(samples, scores, marked, lag=2, alpha=100.0, n_splits=10, max_iter=10, truth=None):
    """Let the reader turn the penalty, the lag and the steps of the lasso, and see what becomes of a voxel's model.

    The page holds the stimuli and the responses of a few voxels: the marked ones, a middling one, with about half of
    the best score, and a silent one. It fits the ridge regression itself, as :func:`~voxelwise.cross_validate_ridge`
    does; field and course are those of the first fold. The lasso is that of :func:`~voxelwise.fit_receptive_fields`,
    after each step along its path; it is fitted to all runs, at one lag.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``, from which the page makes the other lags, up to 5 volumes.
    scores : ndarray, shape (n_voxels,)
        R2 of each voxel, by which the middling and the silent one are chosen.
    marked : sequence of int
        Columns of up to four voxels, which get the letters and colours of the book's figures.
    lag, alpha : int, float
        Where the knobs stand at first: volumes, and the ridge penalty, of which less than 0.001 counts as 0.001.
    n_splits, max_iter : int
        Number of folds, whole runs each, and of steps of the lasso.
    truth : DataFrame, optional
        ``recording.truth``: what was put into each voxel of a simulated recording.

    Returns
    -------
    Fragment
        A sentence, where the stimuli have more than 256 pixels or the page would hold more than 1 MB of numbers.

    Raises
    ------
    ValueError
        If there is no such voxel or penalty, not one score for each voxel, or the runs are too short or too few.
    RecordingError
        If there is only one run.
    """
    check_alpha(alpha)
    voxels = _choose(scores, marked, samples.responses.shape[1])
    columns = [voxel["column"] for voxel in voxels]
    lengths = [len(rows) for rows in samples.run_rows]
    folds = [np.unique(samples.runs[test]).tolist() for _, test in RunKFold(n_splits).split(groups=samples.runs)]
    patterns, seen = np.unique(samples.stimuli, axis=0, return_inverse=True)
    n_numbers = patterns.size + len(samples.runs) * (len(voxels) + 2)
    if samples.stimuli.shape[1] > MAX_PIXELS or n_numbers > MAX_NUMBERS:
        return Fragment(f"<p>{TOO_LARGE}</p>", TOO_LARGE)

    few = replace(samples, responses=samples.responses[:, columns], mask_img=None)
    alpha = max(float(alpha), LEAST_ALPHA)
    exponent = np.log10(alpha)
    ends = [min(EXPONENTS[0], int(np.floor(exponent))), max(EXPONENTS[1], int(np.ceil(exponent)))]
    paired = with_delays(few, [lag])
    paths, chosen = walk_receptive_fields(paired, np.arange(len(voxels)), max_iter)
    # Between two whole numbers of steps a field changes linearly.
    lasso = make_interp_spline(range(len(paths)), paths, k=1)(chosen)[range(len(voxels)), range(len(voxels))]
    limit = round(float(np.abs(lasso).max()), 4) or 1.0
    data = {
        "shape": list(map(int, samples.stimulus_shape)),
        "voxels": voxels,
        "runs": lengths,
        "folds": folds,
        "patterns": pack_decimals(patterns.ravel()),
        "seen": pack(seen.ravel(), "<i4"),
        "responses": pack_decimals(few.responses.T.astype(float)),
        "lasso": pack_decimals(paths.swapaxes(0, 1)),
        "steps": {"most": max_iter, "chosen": np.round(chosen, 4).tolist()},
        "truth": pack_truth(None if truth is None else truth.iloc[columns], samples.stimulus_shape),
        "lags": max(lag, min(MAX_LAG, min(lengths) - 2)),
        "exponents": ends,
        "book": {"alpha": alpha, "lag": int(lag)},
        "colours": {"map": pack_colours(FIELD_COLOURS), "limit": limit},
    }
    return build_fragment("knobs", data, _plot_first(paired, n_splits, alpha, ends), ALT, ["charts"])


def _choose(scores, marked, n_voxels):
    """Name, column and colour of each voxel."""
    if (shape := np.shape(scores)) != (n_voxels,) or not np.isfinite(scores).all():
        raise ValueError(f"scores of shape {shape}: expected a finite number for each of the {n_voxels} voxels.")
    voxels = mark(marked, n_voxels)
    lost = scores[scores <= 0] if (scores <= 0).any() else scores.min()
    for name, score in (("middling", scores.max() / 2), ("silent", np.quantile(lost, 0.5, method="lower"))):
        others = np.setdiff1d(np.arange(n_voxels), [voxel["column"] for voxel in voxels])
        if others.size:
            column = int(others[np.abs(scores[others] - score).argmin()])
            voxels.append({"name": name, "column": column, "colour": "var(--line)"})
    return voxels


def _plot_first(samples, n_splits, alpha, exponents):
    """The still picture: R2 of the first voxel by penalty, on training and on held-out runs."""
    alphas = 10.0 ** np.arange(exponents[0], exponents[1] + 1)
    voxel, folds = samples.take(voxels=[0]), list(RunKFold(n_splits).split(groups=samples.runs))
    sides = {"training runs": [(train, train) for train, _ in folds], "held-out runs": folds}
    r2 = {name: [cross_validate_ridge(voxel, alpha, cv).mean() for alpha in alphas] for name, cv in sides.items()}
    return plot_overfitting(alphas, {"voxel A": r2}, alpha)
