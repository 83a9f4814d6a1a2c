"""The score map in three planes at right angles, all through one voxel that the reader moves."""

from importlib.resources import files

import matplotlib.pyplot as plt
import nibabel
import numpy as np

from ..plotting.slices import colour_limit, plot_score_map, turn_to_page
from ..plotting.style import SCORE_COLOURS
from .fragment import build_fragment, grey_box, mosaic, pack, pack_colours, pack_decimals

MAX_POINTS = 1_200_000  # of the pictures that a page holds
ALT = (
    "An axial slice of the score map, whole and from near, in which a coloured square frames the voxel that the three "
    "planes go through."
)


def view_planes(score_img, background=None, position=None):
    """Show the sagittal, coronal and axial slice of the score map through a voxel, and let the reader move it.

    brainsprite, the viewer of nilearn's :func:`~nilearn.plotting.view_img`, cuts the slices in the browser; what is
    around it answers to keys, fits a phone, speaks to a screen reader and is the same at each call.

    Parameters
    ----------
    score_img : Nifti1Image
        0 or NaN where nothing shall be painted.
    background : path or Nifti1Image, optional
        Anatomical image under the map.
    position : (int, int, int), optional
        Grid position of the voxel that is shown at first; a ValueError if it lies off the grid. Default: the best one.

    Returns
    -------
    Fragment
    """
    score_img = nibabel.Nifti1Image(np.nan_to_num(score_img.get_fdata()), score_img.affine)  # NaN is not painted
    values = score_img.get_fdata()
    position = np.unravel_index(values.argmax(), values.shape) if position is None else position
    if len(position) != 3 or not all(at in range(n) for at, n in zip(position, values.shape, strict=True)):
        raise ValueError(f"No voxel at position {position}; expected a place in a grid of {values.shape}.")
    scores, start = turn_to_page(score_img, position)
    values, limit = scores.get_fdata(), colour_limit(values)
    # Two points for a voxel's width show more of the anatomy; where the grid is large they would make the page heavy.
    fineness = 2 if background is not None and values.size * 8 <= MAX_POINTS else 1
    levels = grey_box(background, scores, (0, 0, 0), values.shape, (fineness,) * 3)
    painted = np.argwhere(values)
    colours = plt.get_cmap(SCORE_COLOURS)(values / limit, bytes=True)
    colours[values == 0] = 0  # transparent
    colours = colours.repeat(fineness, 0).repeat(fineness, 1).repeat(fineness, 2)
    data = {
        "shape": list(values.shape),
        "sizes": np.round(nibabel.affines.voxel_sizes(scores.affine).astype(float), 4).tolist(),
        "to_grid": np.rint(np.linalg.inv(score_img.affine) @ scores.affine)[:3].astype(int).tolist(),
        "from_grid": np.rint(np.linalg.inv(scores.affine) @ score_img.affine)[:3].astype(int).tolist(),
        "affine": np.round(scores.affine[:3].astype(float), 4).tolist(),
        "start": start.tolist(),
        "places": pack(painted),
        "scores": pack_decimals(values[tuple(painted.T)]),
        "colours": {"map": pack_colours(SCORE_COLOURS), "limit": round(float(limit), 4)},
        "fineness": fineness,
        # brainsprite cuts up pictures of sagittal slices.
        "background": mosaic(levels.swapaxes(1, 2), "jpeg")[0],
        "overlay": mosaic(colours.swapaxes(1, 2))[0],
    }
    library = files("nilearn").joinpath("_assets/js/brainsprite.min.js").read_text(encoding="utf-8")
    return build_fragment("planes", data, plot_score_map(score_img, background, [position]), ALT, ["together"], library)
