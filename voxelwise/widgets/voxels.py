"""The explorer: every voxel of the mask on its slice, beside it what the voxel sees, and below what it did in a run."""

import nibabel
import numpy as np
import pandas as pd

from ..brain import grid_positions, unmask
from ..data.samples import check_finite
from ..plotting.slices import colour_limit, plot_summary, turn_to_page
from ..plotting.style import FIELD_COLOURS, SCORE_COLOURS
from .fragment import build_fragment, grey_box, mark, mosaic, pack, pack_colours, pack_decimals, pack_truth

RIM = 2  # voxels around the mask
NARROWEST = 0.75  # a slice is at least so high for its width, and so wide for its height
FINENESS = 3  # points of the background for a voxel's width
MAX_COURSES = 200_000  # numbers of one byte: the measured courses that a page holds
ALT = (
    "An axial slice of the score map, in which coloured squares frame the marked voxels, and beside it the receptive "
    "field of each of them, as an image in the same colour."
)


def explore_voxels(scores, fields, mask_img, background=None, marked=(), regions=None, courses=None, truth=None):
    """Show one slice of the score map at a time, and the scores and the receptive field of a voxel that is pointed at.

    The slices are axial, drawn as by :func:`~voxelwise.plotting.plot_score_map`.

    Parameters
    ----------
    scores : ndarray, shape (n_splits, n_voxels)
        R2 of each fold.
    fields : ndarray, shape (n_voxels, n_rows, n_columns)
        In standard deviations of the response per unit of pixel value.
    mask_img : Nifti1Image
    background : path or Nifti1Image, optional
        Anatomical image under the map.
    marked : sequence of int
        Columns of up to four voxels, which get the letters and colours of the book's figures. Default: the best.
    regions : DataFrame of bool, one row a voxel, one column a region, optional
    courses : (measured, predicted), two ndarrays, shape (n_volumes, n_voxels), optional
        Of a run that the model has not seen. The page holds the first volumes, as many as fit into 200 kB.
    truth : DataFrame, optional
        ``recording.truth`` of a simulated recording: true fields stand beside the estimates, with their largest weight.

    Returns
    -------
    Fragment
        It holds the numbers of all voxels, rounded to four decimals (to fewer where they are larger than 3.2).

    Raises
    ------
    ValueError
        If scores, fields or courses are not those of the mask's voxels or not finite, or there is no marked voxel.
    """
    positions = grid_positions(mask_img)
    measured, predicted = courses or (scores[:0], scores[:0])
    given = dict(scores=scores.T, fields=fields.reshape(len(fields), -1), measured=measured.T, predicted=predicted.T)
    for name, values in given.items():
        if len(values) != len(positions):
            raise ValueError(f"{name}: {len(values)} voxels; expected the {len(positions)} of the mask.")
    check_finite(**given)  # by voxel
    mean = scores.mean(axis=0)
    marks = mark(list(marked) or [mean.argmax()], len(positions))
    score_img = unmask(np.maximum(mean, 0), mask_img)
    ends = score_img.get_fdata(), np.quantile(np.abs(fields).max(axis=(1, 2)), 0.99)  # one field in 100 goes beyond
    score_limit, field_limit = (round(float(colour_limit(end)), 4) for end in ends)
    data = _frame(score_img, positions, background) | {
        "positions": pack(positions),
        "affine": np.round(mask_img.affine[:3].astype(float), 4).tolist(),
        "scores": pack_decimals(np.stack([mean, scores.min(axis=0), scores.max(axis=0)], axis=1)),
        "fields": _pack_fields(fields),
        "courses": courses and _pack_courses(*courses),
        "truth": pack_truth(truth, fields.shape[1:]),
        "regions": _name_regions(regions, len(positions)),
        "marked": marks,
        "colours": {
            "score": {"map": pack_colours(SCORE_COLOURS), "limit": score_limit},
            "field": {"map": pack_colours(FIELD_COLOURS), "limit": field_limit},
        },
    }
    columns = [one["column"] for one in marks]
    still = plot_summary(score_img, background, positions[columns], fields[columns], name="")
    return build_fragment("voxels", data, still, ALT, ["charts", "together"])


def _frame(score_img, positions, background):
    """The box around the mask, as seen: its shape, heights of slices (mm), places of voxels, and what is under them."""
    scores, places = turn_to_page(score_img, positions)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    wanted = high - low + np.array([2 * RIM, 2 * RIM, 0])
    wanted[:2] = np.maximum(wanted[:2], np.ceil(NARROWEST * wanted[1::-1]))
    shape = np.minimum(wanted, scores.shape)
    first = np.clip((low + high - shape) // 2, 0, scores.shape - shape)
    centres = first + np.arange(shape[2])[:, np.newaxis] * [0, 0, 1]
    if background is not None:
        levels = grey_box(background, scores, first, shape, (FINENESS, FINENESS, 1))
        picture, n_columns = mosaic(levels.transpose(2, 1, 0), "jpeg")
        background = {"picture": picture, "columns": n_columns, "fineness": FINENESS}
    heights = nibabel.affines.apply_affine(scores.affine, centres)[:, 2].astype(float).round(1).tolist()
    return {"shape": shape.tolist(), "heights": heights, "places": pack(places - first), "background": background}


def _pack_fields(fields):
    """The weights that are not 0: of each voxel how many, and of each of them the pixel and the weight."""
    weights = fields.reshape(len(fields), -1)
    voxels, pixels = np.nonzero(weights)
    counts = np.bincount(voxels, minlength=len(fields))
    packed = pack_decimals(weights[voxels, pixels])
    return {"shape": list(map(int, fields.shape[1:])), "counts": pack(counts), "pixels": pack(pixels, "<u2"), **packed}


def _pack_courses(measured, predicted):
    """Of each voxel the first volumes; predictions once for all volumes that have the same, by first appearance."""
    n_volumes = min(len(measured), max(2, MAX_COURSES // measured.shape[1]))
    courses = np.stack([measured[:n_volumes], predicted[:n_volumes]])
    unit = max(np.abs(courses).max(), 1e-6) / 127
    # Rounded first: the last bits of equal predictions, and so their order by value, are the processor's.
    measured, predicted = np.rint(courses / unit).astype(np.int8)
    kinds, different = pd.factorize(np.array([volume.tobytes() for volume in predicted], dtype=object))
    different = np.frombuffer(b"".join(different), np.int8).reshape(len(different), -1)
    packed = {"measured": pack(measured.T, "i1"), "predicted": pack(different.T, "i1")}
    return {"unit": float(unit), **packed, "kinds": kinds.tolist()}


def _name_regions(regions, n_voxels):
    """The sets of regions that occur, as text, and of each voxel which of them it lies in."""
    if regions is None or regions.empty:
        return None
    sets, numbers = np.unique(regions.to_numpy(bool), axis=0, return_inverse=True)
    names = [", ".join(regions.columns[inside]) for inside in sets]
    return {"names": names, "numbers": pack(numbers.reshape(n_voxels))}
