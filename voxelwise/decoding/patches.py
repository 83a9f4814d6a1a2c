"""The published decoder: from voxels to small patches of the screen, and from patches to pixels."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.linear_model import OrthogonalMatchingPursuit
from sklearn.preprocessing import StandardScaler

from ..data.samples import check_whole
from ..features import PATCHES, patch_means, pictures_of
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
        Pictures, without rest; those to learn from, and those to decode, whose stimuli are not looked at.
    n_voxels, n_nonzero_coefs : int
        How many voxels are selected for each patch, all where there are fewer, and how many of them have weights.

    Returns
    -------
    stimuli : ndarray of float64, shape (n_test, n_pixels)
        In units of pixel value, not bound to its range.
    """
    check_whole("n_voxels", n_voxels, 1)
    n_voxels = min(n_voxels, train.responses.shape[1])
    scaler = StandardScaler().fit(train.responses)
    learned, tested = scaler.transform(train.responses), scaler.transform(test.responses)
    decoded = []
    for height, width in PATCHES:
        patches = patch_means(pictures_of(train), (height, width))
        guesses = np.empty((len(test.responses), *patches.shape[1:]))
        for row, column in np.ndindex(patches.shape[1:]):
            if np.ptp(patches[:, row, column]) == 0:  # nothing to learn but its value
                guesses[:, row, column] = patches[0, row, column]
                continue
            _, alike, sizes = np.unique(patches[:, row, column], return_inverse=True, return_counts=True)
            # Of standardized voxels, F rises with the variance of the mean responses to patches that are alike.
            sums = csr_array((np.ones_like(alike, learned.dtype), (alike, np.arange(len(alike))))) @ learned
            tell_most = np.sort(np.argsort((sums**2 / sizes[:, np.newaxis]).sum(axis=0), kind="stable")[-n_voxels:])
            pursuit = OrthogonalMatchingPursuit(n_nonzero_coefs=min(n_nonzero_coefs, n_voxels))
            pursuit.fit(learned[:, tell_most], patches[:, row, column])
            guesses[:, row, column] = pursuit.predict(tested[:, tell_most])
        # For each pixel the mean of the patches that hold it; at the edge, those that are there count for the others.
        beyond = [(0, 0), (height - 1, height - 1), (width - 1, width - 1)]
        decoded.append(patch_means(np.pad(guesses, beyond, mode="edge"), (height, width)))
    return np.mean(decoded, axis=0).reshape(len(test.responses), -1)
