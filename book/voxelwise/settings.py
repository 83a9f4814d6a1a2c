"""Whether a recording can be run under given settings, found out before anything heavy runs."""

import numpy as np

from .encoding import check_alpha, whole_run_folds
from .samples import load_run_images


def check_settings(recording, lag=0, alpha=0.0, n_splits=2):
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

    Raises
    ------
    RecordingError
        If there are no runs to fit models to, or the first setting that does not fit.
    """
    check_alpha(alpha)
    n_runs = len(load_run_images(recording, lag=lag))
    whole_run_folds(np.arange(n_runs), n_splits)
