"""What was on the screen? The most plausible stimulus, given a measured pattern."""

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from ..models.batches import one_thread
from .patterns import as_held_out, posterior_mean


@one_thread
def reconstruct(trials, model):
    """Reconstruct the stimulus of each trial from its pattern: the posterior mean of a linear Gaussian model.

    Before a pattern y is measured, each pixel is expected to be Gaussian with the mean mu and the variance v of the
    pixels of the training stimuli. With weights W, constant b and noise covariance S, the most plausible stimulus, ::

        mu + (W S^-1 W' + I / v)^-1 W S^-1 (y - W'mu - b),

    is also the mean of all plausible ones (Naselaris et al. 2009, Neuron 63, 902-915; from receptive fields, Thirion et
    al. 2006, NeuroImage 33, 1104-1116).

    Parameters
    ----------
    trials, model
        As in :func:`~voxelwise.identify`; the trials' stimuli are not looked at.

    Returns
    -------
    stimuli : ndarray of float64, shape (n_trials, n_pixels)
        In units of pixel value, not bound to its range.
    """
    stimuli = np.empty(trials.stimuli.shape)
    for rows, fitted in as_held_out(model, len(stimuli)):
        grey = np.full(len(fitted.weights), fitted.pixel_mean)
        surprise = trials.responses[rows][:, fitted.voxels] - fitted.predict(grey)
        stimuli[rows] = posterior_mean(surprise, fitted.weights, fitted.noise, fitted.pixel_mean, fitted.pixel_variance)
    return stimuli


def score_pixels(seen, reconstructed, threshold=0.5, average="micro"):
    """How many pixels of black and white stimuli are right.

    Parameters
    ----------
    seen, reconstructed : ndarray, shape (n_stimuli, n_pixels)
    threshold : float
        What is above it is white, in both.
    average : {"micro", "macro"}
        As in scikit-learn: over all pixels of all stimuli at once; or for each pixel over the stimuli, then the mean,
        as in nilearn's example of a decoder for this data set.

    Returns
    -------
    scores : dict of str -> float
        ``accuracy``, share of pixels that are right; ``precision``, of those called white that are; ``recall``, of the
        white ones that are called so; ``f1``, harmonic mean of these two. A share of no pixels is 0.
    """
    white, called = np.asarray(seen) > threshold, np.asarray(reconstructed) > threshold
    if white.shape != called.shape or white.ndim != 2:
        raise ValueError(f"seen is {white.shape}, reconstructed {called.shape}; expected (n_stimuli, n_pixels).")
    if average == "micro" or white.shape[1] == 1:  # a single column, scikit-learn would take for two classes
        white, called, average = white.ravel(), called.ravel(), "binary"
    precision, recall, f1, _ = precision_recall_fscore_support(white, called, average=average, zero_division=0)
    scores = dict(accuracy=(white == called).mean(), precision=precision, recall=recall, f1=f1)
    return {name: float(score) for name, score in scores.items()}
