"""Whether a recording can be run under given settings, found out before anything heavy runs."""

import math

import numpy as np

from .alpha_search import MIN_FOLDS
from .encoding import check_alpha, whole_run_folds
from .errors import RecordingError
from .samples import load_run_images


def check_settings(recording, lag=0, alpha=0.0, n_splits=2, alpha_range=None, n_alphas=1):
    """Refuse settings that do not fit the recording; only its labels are read.

    Parameters
    ----------
    recording : Recording
    lag : int
        As in :func:`~voxelwise.load_samples`.
    alpha : float
        As in :func:`~voxelwise.cross_validate_ridge`.
    n_splits : int
        As in :func:`~voxelwise.cross_validate_ridge`.

    alpha_range : (float, float), optional
        The smallest and the largest penalty of a search, above 0. Default: there is no search.
    n_alphas : int
        How many penalties a search tries.

    Raises
    ------
    RecordingError
        If there are no runs to fit models to, or the first setting that does not fit.
    """
    check_alpha(alpha)
    n_runs = len(load_run_images(recording, lag=lag))
    whole_run_folds(np.arange(n_runs), n_splits)
    if alpha_range is not None:
        _check_search(alpha_range, n_alphas, n_runs)


def _check_search(alpha_range, n_alphas, n_runs):
    """Refuse what a search for the penalty cannot work with."""
    if len(alpha_range) != 2 or not 0 < alpha_range[0] < alpha_range[1] < math.inf:
        raise RecordingError(
            f"alpha_range={alpha_range}: expected the smallest and the largest penalty, both above 0, such as [1, 100000]."
        )
    if n_alphas < 2:
        raise RecordingError(f"n_alphas={n_alphas}: a search has at least two penalties to choose from.")
    if n_runs < MIN_FOLDS:
        raise RecordingError(
            f"There are {n_runs} runs. The search for the penalty needs {MIN_FOLDS}: to fit, to choose and to score on."
        )
