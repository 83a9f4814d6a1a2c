"""A few small subjects in a common space, whose anatomy and gain differ."""

import nibabel
import numpy as np
from nibabel.affines import apply_affine, from_matvec
from scipy.stats import zscore

from .samples import Samples

VOXEL = 4.0  # mm
N_RUNS, N_VOLUMES = 4, 60
#: The voxels to model, and the patches that answer to the screen, from their middle; all in mm of MNI space.
_CENTRE, _RADII = np.array([0, -82, 4]), np.array([36, 24, 24])
_PATCHES, _PATCH_SIZE = np.array([[-14, -6, -2], [14, -6, -2]]), 9.0


def simulated_subjects(rng, n_subjects=8, displacement=3.0, gain_spread=0.4):
    """Subjects in MNI space, two patches of whose brains answer to the screen; place, gain, size and grid differ.

    Parameters
    ----------
    rng, n_subjects : numpy.random.Generator, int
    displacement, gain_spread : float
        Standard deviations: of the patches' place along each axis, in mm; of the logarithm of the gain.

    Yields
    ------
    subject : str
        ``"01"`` and so on; another number of subjects, or another spread, leaves the rest as it was.
    samples : Samples
        Of four runs of 60 volumes, with six features and about 1300 voxels of 4 mm that respond at once, z-scored.
    r2 : ndarray of float64, shape (n_voxels,)
        The truth: the share of the features in the variance of each voxel.
    """
    for number, own in enumerate(rng.spawn(n_subjects), start=1):
        off, size, gain = own.normal(0, displacement, 3), own.normal(1, 0.04), np.exp(own.normal(0, gain_spread))
        affine = from_matvec(np.eye(3) * VOXEL, _CENTRE - 48 + own.uniform(0, VOXEL, 3))
        places = (apply_affine(affine, np.indices((24, 24, 24)).reshape(3, -1).T) - _CENTRE) / size
        inside = ((places / _RADII) ** 2).sum(axis=1) < 1
        mask_img = nibabel.Nifti1Image(inside.reshape(24, 24, 24).astype(np.uint8), affine)
        squares = ((places[inside, np.newaxis] - off - _PATCHES) ** 2).sum(axis=2)
        strength = gain * np.exp(-squares.min(axis=1) / (2 * _PATCH_SIZE**2))
        weights = own.normal(size=(6, len(strength)))
        weights *= strength / np.linalg.norm(weights, axis=0)
        X = own.normal(size=(N_RUNS, N_VOLUMES, 6))
        Y = zscore(X @ weights + own.normal(size=(N_RUNS, N_VOLUMES, len(strength))), axis=1)
        runs = np.repeat(np.arange(N_RUNS), N_VOLUMES)
        samples = Samples.from_arrays(X.reshape(len(runs), -1), Y.reshape(len(runs), -1), runs, mask_img=mask_img)
        yield f"{number:02}", samples, strength**2 / (1 + strength**2)
