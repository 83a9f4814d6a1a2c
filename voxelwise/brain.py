"""Between columns of a matrix and places in the brain."""

import nibabel
import numpy as np
import pandas as pd

from .data.reading import read_region

#: As many voxels as the figures have colours to mark them with.
MAX_MARKED = 4
#: The area of each region of the recording of Miyawaki et al. (2008), in each hemisphere. VP is ventral V3.
AREAS = dict(V1d="V1", V1v="V1", V2d="V2", V2v="V2", V3="V3", VP="V3", V3A="V3A", V4v="V4")


def grid_positions(mask_img):
    """Grid position of each voxel of a mask in the order of the columns, ndarray of int, shape (n_voxels, 3).

    A ValueError if ``mask_img`` is None, as for samples of surfaces.
    """
    if mask_img is None:
        raise ValueError("mask_img=None: these columns have no places in a grid; vertices count as on their surface.")
    return np.argwhere(np.asarray(mask_img.dataobj))


def voxel_at(mask_img, position):
    """Column of the voxel at a grid position, an int.

    Parameters
    ----------
    mask_img, position : Nifti1Image, (int, int, int)
        Indices (i, j, k) into the mask's grid; a ValueError if they are none, or lie outside the mask.
    """
    positions, wanted = grid_positions(mask_img), np.asarray(position)
    if wanted.shape != (3,) or wanted.dtype.kind not in "iu":
        raise ValueError(f"position={position}: expected three whole numbers, such as (30, 10, 10).")
    at = np.flatnonzero((positions == wanted).all(axis=1))
    if not at.size:
        raise ValueError(f"No voxel at {position}: it is outside the mask, in a grid of {mask_img.shape}.")
    return int(at[0])


def choose_voxels(mask_img, positions, scores):
    """Columns of the wanted voxels, or of the best ones where the recording does not have them.

    Parameters
    ----------
    mask_img, positions : Nifti1Image, sequence of (int, int, int)
        One to four grid positions, else a ValueError.
    scores : ndarray, shape (n_voxels,)

    Returns
    -------
    columns, as_wanted : list of int, bool
        As many as there are positions, all of the wanted ones or all best ones; and which of both.
    """
    if not 1 <= len(positions) <= MAX_MARKED or np.shape(positions) != (len(positions), 3):
        raise ValueError(f"positions={positions}: expected one to four grid positions, such as [[30, 10, 10]].")
    columns = {tuple(place): column for column, place in enumerate(grid_positions(mask_img).tolist())}
    wanted = [columns.get(tuple(place)) for place in positions]
    if None not in wanted:
        return wanted, True
    return np.argsort(scores)[::-1][: len(positions)].tolist(), False


def unmask(values, mask_img, outside=0):
    """Put the values of each voxel back into the brain.

    Parameters
    ----------
    values : ndarray, shape (n_voxels, ...)
        A ValueError if there are more or fewer than voxels in the mask.
    mask_img, outside : Nifti1Image, float
        The mask, and the value outside it.

    Returns
    -------
    image : Nifti1Image, float32, shape (n_x, n_y, n_z, ...), in mm
    """
    values, positions = np.asarray(values), grid_positions(mask_img)
    if values.shape[:1] != (len(positions),):
        raise ValueError(f"values of shape {values.shape}; expected {len(positions)} at first, one for each voxel.")
    volume = np.full((*mask_img.shape, *values.shape[1:]), outside, dtype=np.float32)
    volume[tuple(positions.T)] = values
    image = nibabel.Nifti1Image(volume, mask_img.affine)
    image.header.set_xyzt_units("mm")
    return image


def regions_of_interest(rois, mask_img):
    """Which voxels lie in which region.

    Parameters
    ----------
    rois, mask_img : dict of str -> path, Nifti1Image
        Images on the mask's grid, else a RecordingError; one value inside the region, 0 outside.

    Returns
    -------
    regions : DataFrame of bool, one row a voxel, one column a region
    """
    positions = grid_positions(mask_img)
    inside = {name: read_region(path, mask_img)[tuple(positions.T)] for name, path in rois.items()}
    return pd.DataFrame(inside, index=range(len(positions)))


def group_by_area(regions):
    """Which voxels lie in which visual area, both hemispheres and all parts of an area together.

    Parameters
    ----------
    regions : DataFrame of bool, one row a voxel
        As :func:`regions_of_interest` returns them, with names such as ``LHV1d``; others are in no area.

    Returns
    -------
    areas : DataFrame of bool, one row a voxel
        Of ``V1``, ``V2``, ``V3``, ``V3A`` and ``V4`` those that have a region; without columns if none has.
    """
    area_of = {side + region: area for side in ("LH", "RH") for region, area in AREAS.items()}
    return regions.T.groupby(area_of).any().T
