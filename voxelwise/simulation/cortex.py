"""The simulated subject's visual cortex: where each voxel of the MNI template's grey matter lies and what it sees."""

import nibabel
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nilearn.datasets import load_mni152_gm_template, load_mni152_template
from nilearn.image import resample_img

GRID = (64, 64, 30)
#: Voxel index to millimetres: 3 mm voxels, x from right to left, index (31, 10, 10) at (9, -90, -8) mm.
AFFINE = np.array([[-3.0, 0, 0, 102], [0, 3, 0, -120], [0, 0, 3, -38], [0, 0, 0, 1]])
STIMULUS_SHAPE = (10, 10)  # what is known of it
SCREEN_SHAPE = (12, 12)
SCREEN_CENTRE = 4.5  # pixels: the centres of the 10 pixels are 0 to 9

#: The voxels that the published figures mark: centre (row, column) and size (standard deviation) in pixels.
MARKED_VOXELS = {
    (30, 10, 10): (4.0, 1.75, 0.45),
    (31, 10, 10): (3.51, 2.0, 0.45),
    (32, 10, 10): (3.0, 2.57, 0.45),
    (31, 9, 10): (4.0, 2.47, 0.45),
}
MARKED_COLUMNS = (1780, 1951, 2131, 1935)  # of the voxels of the mask, as published; the mask is cut to give these
N_VOXELS = 5438

#: Areas in the order in which they surround the calcarine sulcus, each a half-ring above (dorsal) and below (ventral)
#: it: names, outer border in degrees around the white matter, field size in pixels at the fovea, its growth per pixel.
RINGS = (
    ("V1d", "V1v", 45, 0.30, 0.07),
    ("V2d", "V2v", 80, 0.40, 0.11),
    ("V3", "VP", 110, 0.55, 0.16),
    ("V3A", "V4v", 145, 0.80, 0.22),
)
AREAS = tuple(name for dorsal, ventral, *_ in RINGS for name in (dorsal, ventral))
N_BANDS = 11
BAND_WIDTH = 0.65  # pixels of eccentricity


def visual_cortex_mask():
    """Mask of the ``N_VOXELS`` most posterior voxels of grey matter above the cerebellum, of bool, shape ``GRID``."""
    grey = _on_grid(load_mni152_gm_template(resolution=1), AFFINE, GRID).ravel()
    _, y, z = apply_affine(AFFINE, np.indices(GRID).reshape(3, -1).T).T
    above_cerebellum = z > 0.67 * (y + 72) - 11
    # Most posterior first, and the surest grey matter first within a coronal plane.
    order = np.lexsort((-grey, y))
    order = order[(grey > 0.2)[order] & above_cerebellum[order]]

    # How many is fixed stretch by stretch, so that the marked ones come at the published columns.
    mask = np.zeros(grey.size, dtype=bool)
    marked = np.sort(np.ravel_multi_index(np.transpose(list(MARKED_VOXELS)), GRID))
    sizes = np.diff([0, *np.sort(MARKED_COLUMNS), N_VOXELS])
    mask[marked] = True
    for start, end, size in zip([0, *marked], [*marked, grey.size], sizes, strict=True):
        stretch = order[(order >= start) & (order < end) & ~np.isin(order, marked)]
        mask[stretch[: size - (start in marked)]] = True
    return mask.reshape(GRID)


def background_image():
    """The MNI template over the recording's field of view: Nifti1Image, shape (128, 128, 60), int16, 1.5 mm."""
    affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    # Voxel centres, not corners, are what an affine speaks of: half a voxel less half of a half one.
    affine[:3, 3] = (AFFINE @ [-0.25, -0.25, -0.25, 1])[:3]
    template = _on_grid(load_mni152_template(resolution=1), affine, tuple(2 * n for n in GRID))
    return nibabel.Nifti1Image(np.round(1000 * template).astype(np.int16), affine)


def retinotopic_map(mask, rng):
    """A table of the voxels: ``i j k``, ``hemisphere`` LH or RH, ``area`` and ``band``, empty and -1 outside the areas.

    ``row``, ``column`` and ``size`` (standard deviation) of the field are in pixels, NaN outside; ``rng`` scatters it.
    """
    i, j, k = np.nonzero(mask)
    x, y, z = apply_affine(AFFINE, np.argwhere(mask)).T
    eccentricity = 1.2 * np.expm1((y - y.min()) / 16)
    # Around the white matter: 0 degrees at the calcarine sulcus, which rises on its way forward; dorsal positive.
    calcarine = -6 + 0.5 * (y + 90)
    around = np.degrees(np.arctan2(z - calcarine, 20 - np.abs(x)))

    area, inner = np.full(i.size, "", dtype=object), 0
    angle, size = np.full((2, i.size), np.nan)
    for ring, (dorsal, ventral, outer, at_fovea, growth) in enumerate(RINGS):
        here = (np.abs(around) >= inner) & (np.abs(around) < outer)
        area[here] = np.where(around[here] > 0, dorsal, ventral)
        across = (np.abs(around[here]) - inner) / (outer - inner)
        # Horizontal meridian to vertical one and back again: neighbouring areas mirror each other.
        angle[here] = np.radians(90 * (across if ring % 2 == 0 else 1 - across))
        size[here] = at_fovea + growth * eccentricity[here]
        inner = outer

    # The right half of the screen goes to the left hemisphere, the upper half to the ventral areas; rows count down.
    row = SCREEN_CENTRE + np.sign(around) * eccentricity * np.sin(angle) + rng.normal(0, 0.2, i.size)
    column = SCREEN_CENTRE - np.where(x > 0, 1, -1) * eccentricity * np.cos(angle) + rng.normal(0, 0.2, i.size)
    hemisphere, places = np.where(x > 0, "RH", "LH"), dict(row=row, column=column, size=size)
    voxels = pd.DataFrame(dict(i=i, j=j, k=k, hemisphere=hemisphere, area=area, band=-1) | places)
    voxels.loc[list(MARKED_COLUMNS), ["row", "column", "size"]] = list(MARKED_VOXELS.values())

    distance = np.hypot(voxels["row"] - SCREEN_CENTRE, voxels["column"] - SCREEN_CENTRE)
    voxels["band"] = (distance // BAND_WIDTH).where(distance < N_BANDS * BAND_WIDTH, -1).astype(int)
    return voxels


def true_fields(voxels):
    """Weight of each pixel in each voxel's receptive field.

    Parameters
    ----------
    voxels : DataFrame
        The simulated recording's truth, or some rows of it.

    Returns
    -------
    fields : ndarray, shape (n_voxels, 10, 10)
        Gaussians whose sum over the unbounded plane is 1; 0 outside the areas.
    """
    weights = gaussian_weights(STIMULUS_SHAPE, voxels["row"], voxels["column"], voxels["size"])
    return weights.reshape(-1, *STIMULUS_SHAPE)


def gaussian_weights(shape, row, column, size):
    """Gaussians whose sum over the unbounded plane is 1, shape (n_voxels, n_pixels); 0 for those that have no place.

    In pixels. ``row`` and ``column`` count from the 10 x 10 pixels in the middle of a screen of this ``shape``.
    """
    rows, columns = (np.arange(n) - (n - 1) / 2 + SCREEN_CENTRE for n in shape)
    size = np.broadcast_to(size, len(row))[:, np.newaxis]
    down, across = (
        np.exp(-((places - np.asarray(centre)[:, np.newaxis]) ** 2) / (2 * size**2)) / np.sqrt(2 * np.pi * size**2)
        for places, centre in ((rows, row), (columns, column))
    )
    return np.nan_to_num(np.einsum("vi,vj->vij", down, across)).reshape(len(row), -1)


def _on_grid(image, affine, shape):
    """The image's values on another grid."""
    resampled = resample_img(image, affine, shape, interpolation="linear", copy_header=True, force_resample=True)
    return resampled.get_fdata()
