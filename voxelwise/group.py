"""Several subjects: what their maps in one space have in common, and a few small ones that are simulated."""

import nibabel
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine, from_matvec
from nilearn.glm.second_level import SecondLevelModel
from scipy.ndimage import affine_transform
from scipy.stats import zscore

from .brain import unmask
from .data.samples import Samples
from .errors import RecordingError

VOXEL = 4.0  # mm
N_RUNS, N_VOLUMES = 4, 60
#: The voxels to model, and the patches that answer to the screen, from their middle; all in mm of MNI space.
_CENTRE, _RADII = np.array([0, -82, 4]), np.array([36, 24, 24])
_PATCHES, _PATCH_SIZE = np.array([[-14, -6, -2], [14, -6, -2]]), 9.0


def group_maps(images, threshold=0.1, template=None):
    """Mean, t and share of the subjects, for each voxel that all of them have.

    The t-value is that of nilearn's second level (Holmes and Friston 1998, NeuroImage 7, S754).

    Parameters
    ----------
    images : dict of str -> Nifti1Image, or sequence of Nifti1Image
        A map of each of two subjects or more in one space, NaN outside its mask; their grids may differ.
    threshold : float
        A subject counts for the share where its value is above this.
    template : Nifti1Image, optional
        The grid to bring all maps to, by linear interpolation between known voxels. Default: the first map's.

    Returns
    -------
    maps : dict of str -> Nifti1Image
        ``mean``, ``t`` and ``share``; NaN where not all subjects have a value, a RecordingError if that is everywhere.
    """
    images = list(images.values() if isinstance(images, dict) else images)
    if len(images) < 2:
        raise ValueError(f"images: {len(images)} of them; expected maps of two subjects or more.")
    template = images[0] if template is None else template
    values = np.array([_bring_to(template, image) for image in images])
    shared = np.isfinite(values).all(axis=0)
    if not shared.any():
        raise RecordingError(f"No voxel lies in the masks of all {len(images)} subjects. Are their maps in one space?")
    mask_img = nibabel.Nifti1Image(shared.astype(np.uint8), template.affine)
    values = values[:, shared]
    maps, design = [unmask(each, mask_img) for each in values], pd.DataFrame({"mean": np.ones(len(values))})
    model = SecondLevelModel(mask_img).fit(maps, design_matrix=design)
    t = model.compute_contrast("mean", output_type="stat").get_fdata()[shared]
    found = {"mean": values.mean(axis=0), "t": t, "share": (values > threshold).mean(axis=0)}
    return {name: unmask(of_voxels, mask_img, outside=np.nan) for name, of_voxels in found.items()}


def _bring_to(template, image):
    """Values of a map on the template's grid; NaN where less than half of what is mixed is known."""
    values = image.get_fdata(dtype=np.float32)
    known = np.isfinite(values)
    where = np.linalg.inv(image.affine) @ template.affine  # from the template's grid to the map's
    parts = np.where(known, values, 0), known.astype(np.float32)
    mixed, weight = (affine_transform(part, where, output_shape=template.shape, order=1) for part in parts)
    return np.divide(mixed, weight, out=np.full_like(mixed, np.nan), where=weight > 0.5)


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
