"""The published decoder: from voxels to small patches of the screen, and from patches to pixels."""

import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import OrthogonalMatchingPursuit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..models.batches import one_thread


@one_thread
def decode_patches(train, test, n_voxels=500, n_nonzero_coefs=10):
    """Decode stimuli as nilearn's example does (Abraham et al. 2014, Frontiers in Neuroinformatics 8, 14).

    For each patch of 1 x 1, 2 x 1, 1 x 2 and 2 x 2 pixels, as in Miyawaki et al. (2008, Neuron 60, 915-929), the voxels
    that tell most about its mean by an F test are standardized, and orthogonal matching pursuit finds weights for a few
    of them. A pixel is the mean over the four scales of what the patches that hold it say.

    Parameters
    ----------
    train, test : Samples
        Without rest; those to learn from, and those to decode, whose stimuli are not looked at.
    n_voxels : int
        How many voxels are selected for each patch; all where there are fewer.
    n_nonzero_coefs : int
        How many of them have weights.

    Returns
    -------
    stimuli : ndarray of float64, shape (n_test, n_pixels)
        In units of pixel value, not bound to its range.
    """
    n_voxels = min(n_voxels, train.responses.shape[1])
    decoded = []
    for height, width in ((1, 1), (2, 1), (1, 2), (2, 2)):
        patches = _narrow(_narrow(train.stimuli.reshape(-1, *train.stimulus_shape), 1, height), 2, width)
        guesses = np.empty((len(test.responses), *patches.shape[1:]))
        for row, column in np.ndindex(patches.shape[1:]):
            pursuit = OrthogonalMatchingPursuit(n_nonzero_coefs=min(n_nonzero_coefs, n_voxels))
            decoder = make_pipeline(SelectKBest(f_classif, k=n_voxels), StandardScaler(), pursuit)
            decoder.fit(train.responses, patches[:, row, column])
            guesses[:, row, column] = decoder.predict(test.responses)
        decoded.append(_widen(_widen(guesses, 1, height), 2, width))
    return np.mean(decoded, axis=0).reshape(len(test.responses), -1)


def _narrow(screens, axis, n):
    """The mean of each two neighbours along an axis, where n is 2."""
    return screens if n == 1 else (np.delete(screens, 0, axis) + np.delete(screens, -1, axis)) / 2


def _widen(patches, axis, n):
    """For each pixel the mean of the two patches that hold it, or at the end the only one, where n is 2."""
    ends = [(n - 1, n - 1) if number == axis else (0, 0) for number in range(patches.ndim)]
    return _narrow(np.pad(patches, ends, mode="edge"), axis, n)
