"""A pad to draw on: the response of the voxels to the drawing, and what the book's decoder reads from that response."""

import nibabel
import numpy as np
import pandas as pd
from scipy.sparse.linalg import svds

from ..brain import grid_positions
from ..decoding.patterns import posterior_mean
from ..models.prf import field_weights, fit_prf
from ..plotting.slices import plot_drawn, turn_to_page
from ..plotting.style import SCORE_COLOURS
from ..simulation.responses import SURROUND_EXPONENT, SURROUND_SIZE
from .fragment import build_fragment, grey_box, mosaic, pack, pack_colours, pack_decimals

N_SLICES = 9  # those that hold the most voxels
N_SHARED = 8  # parts of the noise; with these, the chapter's simulated trials are read as well as held-out ones are
FINENESS = 2  # points of the background for a voxel's width
PRESETS = {
    "+": "...##... ...##... ...##... ######## ######## ...##... ...##... ...##...",
    "○": "..####.. .######. ###..### ##....## ##....## ###..### .######. ..####..",
    "A": "..####.. .######. ##....## ##....## ######## ######## ##....## ##....##",
    "N": "##....## ###...## ####..## ##.##.## ##..#### ##...### ##....## ##....##",
    "U": "##....## ##....## ##....## ##....## ##....## ##....## ######## .######.",
}
NAMES = {"+": "Plus", "○": "Ring"}
ALT = (
    "Left a drawing of white pixels, in the middle slices of the brain with coloured voxels that respond to it, and "
    "right the drawing as a decoder reads it back from these responses, in shades of grey."
)
TRUE = (
    "What is simulated: the voxels' fields and surrounds are those that the recording was made with. What is fitted: "
    "how strong their responses are, and the noise, to {n} trials with random stimuli; the decoder, to the same "
    "trials. No drawing was ever shown to anybody."
)
FITTED = (
    "The truth is not known here, so the responses are those that fitted Gaussian fields predict, and the decoder, "
    "which was fitted to the same {n} trials, has an easier task than in the scanner. The noise is what these fields "
    "leave of the trials. No drawing was ever shown to anybody."
)


def draw_and_read(trials, model, background=None, truth=None):
    """Show a pad to draw on, the response of the voxels to the drawing, and the drawing as a decoder reads it back.

    A voxel responds to the sum of the pixels under its Gaussian field, and, where the truth is known, to the square
    root of the sum under a broad surround. How strongly, and with which constant, is fitted to the trials by least
    squares. The noise has the variance of what that leaves, and the correlations of its eight largest principal
    components. It is read as by :func:`~voxelwise.reconstruct`.

    Parameters
    ----------
    trials : Samples
        With a mask; those that the model was fitted to, or others whose stimuli are as varied.
    model : PatternModel
    background : path or Nifti1Image, optional
        Anatomical image under the voxels.
    truth : DataFrame, optional
        ``row``, ``column``, ``size`` and ``surround`` of all voxels. Default: what :func:`~voxelwise.fit_prf` finds.

    Returns
    -------
    Fragment
    """
    shape = tuple(map(int, trials.stimulus_shape))
    fields = fit_prf(trials, model.voxels) if truth is None else truth.iloc[model.voxels]
    voxels, left = _fit_responses(trials, model, fields)
    loadings, alone = _share_noise(left)
    # What each voxel says about each pixel: the decoder is linear.
    readers = posterior_mean(np.eye(len(model.voxels)), model.weights, model.noise, 0, model.pixel_variance)
    sd = np.sqrt(np.diag(model.noise))
    steps = np.abs(readers * sd[:, np.newaxis]).max() / 2**14 / sd  # fine where there is little noise
    grey = model.predict(np.full(len(model.weights), model.pixel_mean))
    places, slices, under = _lay_out(trials.mask_img, model.voxels, background)
    presets = list(_place_presets(shape))
    low, high = float(trials.stimuli.min()), float(trials.stimuli.max())
    limit = np.quantile(trials.responses[:, model.voxels], 0.99)
    data = {
        "shape": shape,
        "limits": [low, high],
        "surround": {"size": SURROUND_SIZE, "exponent": SURROUND_EXPONENT},
        "n_voxels": len(model.voxels),
        "columns": pack(model.voxels, "<i4"),
        "voxels": pack(voxels, "<f4"),
        "grey": pack(grey, "<f4"),
        "mean": round(float(model.pixel_mean), 4),
        "readers": pack(np.rint(readers / steps[:, np.newaxis])),
        "steps": pack(steps, "<f4"),
        "loadings": pack_decimals(loadings),
        "alone": pack(alone, "<f4"),
        "blind": pack(model.mean_stimulus, "<f4"),
        "places": pack(places),
        "slices": slices,
        "colours": {"map": pack_colours(SCORE_COLOURS), "limit": float(f"{limit:.1g}")},
        "presets": presets,
        "note": (FITTED if truth is None else TRUE).format(n=len(trials.runs)),
    }
    stimulus = np.full(shape, low)
    stimulus.flat[presets[0]["pixels"] if presets else slice(None)] = high
    rng = np.random.default_rng(0)
    (field,), (surround,) = _drive(stimulus.reshape(1, -1), voxels[:, :3], shape)
    responses = field * voxels[:, 3] + surround * voxels[:, 4] + voxels[:, 5]
    responses += alone * rng.standard_normal(len(alone)) + loadings @ rng.standard_normal(loadings.shape[1])
    read = model.pixel_mean + (responses - grey) @ readers
    shown = stimulus, _paint(responses, places, slices), under, read.reshape(shape)
    return build_fragment("draw", data, plot_drawn(*shown, (low, high), data["colours"]["limit"]), ALT)


def _drive(stimuli, fields, shape):
    """What comes through the fields, Gaussians with the height 1, and through the surrounds."""
    table = pd.DataFrame(fields, columns=["row", "column", "size"]).assign(gain=1.0)
    stimuli = stimuli.astype(float)
    around = np.maximum(stimuli @ field_weights(table.assign(size=SURROUND_SIZE), shape), 0)
    return stimuli @ field_weights(table, shape), around**SURROUND_EXPONENT


def _fit_responses(trials, model, fields):
    """Row, column, size, weights of field and surround, and constant of each voxel; and what is left of the trials."""
    places = np.nan_to_num(fields[["row", "column", "size"]].to_numpy(float), nan=1.0)
    placed = fields["row"].notna().to_numpy()
    ratio = np.zeros(len(fields))
    if "surround" in fields:  # its strength holds for Gaussians of sum 1
        areas = 2 * np.pi * places[:, 2] ** 2, 2 * np.pi * SURROUND_SIZE**2
        ratio = fields["surround"].to_numpy() * areas[0] / areas[1] ** SURROUND_EXPONENT
    field, surround = _drive(trials.stimuli, places, trials.stimulus_shape)
    driven, responses = placed * (field + ratio * surround), trials.responses[:, model.voxels].astype(float)
    centred = driven - driven.mean(axis=0)
    strength = (centred * responses).sum(axis=0) / np.maximum((centred**2).sum(axis=0), 1e-12) * placed
    constant = responses.mean(axis=0) - strength * driven.mean(axis=0)
    table = np.column_stack([places, strength, strength * ratio, constant])
    return table, responses - strength * driven - constant


def _share_noise(left):
    """How much of each shared part a voxel's noise holds, shape (n_voxels, n_shared), and the SD of its own part."""
    sd = np.maximum(left.std(axis=0, ddof=2), 1e-12)
    unit = (left - left.mean(axis=0)) / sd / np.sqrt(len(left) - 2)
    n_shared = min(N_SHARED, min(unit.shape) - 1)
    _, sizes, axes = svds(unit, n_shared, v0=np.ones(min(unit.shape)))  # of a full decomposition, few are needed
    sizes = sizes * np.where(axes.sum(axis=1) < 0, -1, 1)  # the same on each machine
    loadings = (axes.T * sizes) * sd[:, np.newaxis]
    return loadings, np.sqrt(np.maximum(sd**2 - (loadings**2).sum(axis=1), 0))


def _lay_out(mask_img, voxels, background):
    """Places of the voxels (column, row, slice, or -1), the slices that hold the most of them, what is under these."""
    turned, places = turn_to_page(mask_img, grid_positions(mask_img)[voxels])
    counts = np.bincount(places[:, 1])
    shown = np.sort(np.argsort(-counts, kind="stable")[: min(N_SLICES, np.count_nonzero(counts))])
    seen = np.isin(places[:, 1], shown)
    first = np.maximum(places[seen].min(axis=0) - 1, 0)
    size = np.minimum(places[seen].max(axis=0) + 2, turned.shape) - first
    placed = np.column_stack([places[:, 0] - first[0], places[:, 2] - first[2], np.searchsorted(shown, places[:, 1])])
    placed[~seen] = -1
    levels = grey_box(background, turned, first, size, (FINENESS, 1, FINENESS))
    under = levels[:, shown - first[1]].transpose(1, 2, 0)
    (picture, side), (width, _, height) = mosaic(under), map(int, size)
    y = nibabel.affines.apply_affine(turned.affine, [[0, k, 0] for k in shown])[:, 1].round(1).tolist()
    slices = {"width": width, "height": height, "n": len(shown), "y": y, "side": side, "picture": picture}
    return placed, slices, under


def _place_presets(shape):
    """The drawings that the pad has room for, in its middle."""
    for sign, text in PRESETS.items():
        drawing = np.array([list(line) for line in text.split()]) == "#"
        spare = np.subtract(shape, drawing.shape)
        if (spare >= 0).all():
            pixels = np.flatnonzero(np.pad(drawing, [(n // 2, n - n // 2) for n in spare]))
            yield {"sign": sign, "name": NAMES.get(sign, f"Letter {sign}"), "pixels": pixels.tolist()}


def _paint(responses, places, slices):
    """The responses on the slices, shape (n_slices, height, width), NaN where no voxel is."""
    seen = places[:, 2] >= 0
    painted = np.full((slices["n"], slices["height"], slices["width"]), np.nan)
    painted[places[seen, 2], places[seen, 1], places[seen, 0]] = responses[seen]
    return painted
