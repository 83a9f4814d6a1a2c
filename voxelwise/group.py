"""What subjects have in common: their maps in one space."""

import nibabel
import numpy as np
import pandas as pd
from nilearn.glm.second_level import SecondLevelModel
from scipy.ndimage import affine_transform

from .brain import unmask
from .errors import RecordingError


def group_maps(images, threshold=0.1, template=None):
    """Mean, t of nilearn's second level [1]_ and share of the subjects, for each voxel that all of them have.

    Parameters
    ----------
    images : dict of str -> Nifti1Image, or sequence of Nifti1Image
        A map of each of two subjects or more in one space, NaN outside its mask; their grids may differ.
    threshold : float
        A subject counts for the share where its value is above this.
    template : Nifti1Image, optional
        The grid to bring all maps to, by linear interpolation between the voxels that are known. Default: that of the
        first map.

    Returns
    -------
    maps : dict of str -> Nifti1Image
        ``mean``, ``t`` and ``share``; NaN where not all subjects have a value, a RecordingError if that is everywhere.

    References
    ----------
    .. [1] Holmes and Friston (1998). Generalisability, random effects and population inference. NeuroImage 7, S754.
    """
    images = list(images.values() if isinstance(images, dict) else images)
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
