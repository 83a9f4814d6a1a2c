"""Maps of what the voxels see, on slices of the brain."""

import nibabel
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from .slices import draw_bar, paint_slice, slice_under, zoom
from .style import DIRECTION_COLOURS, ORANGE, PURPLE, SKY, dark_figure, pair_up


def plot_maps(maps, background):
    """Several maps of the same voxels side by side, on up to four axial slices with about as many near each.

    ``maps`` holds, by the label of its colour scale, an image, all on one grid and NaN where nothing shall be painted;
    and its colours, ``cmap``, ``vmin`` and ``vmax`` as in ``imshow``. The scale of ``DIRECTION_COLOURS`` is a wheel.
    """
    images = [nibabel.as_closest_canonical(image) for image, _ in maps.values()]
    heights, painted = _choose_slices(images[0])
    figure = dark_figure(6.6)
    edges = dict(left=0.09, right=0.99, bottom=0.2, top=0.99, wspace=0.03, hspace=0.03)
    axes = figure.subplots(len(heights), len(maps), squeeze=False, gridspec_kw=edges)
    for row, k in zip(axes, heights, strict=True):
        under = slice_under(images[0], k, background)
        for ax, image, (_, colours) in zip(row, images, maps.values(), strict=True):
            z = _draw_slice(ax, image, k, under, painted, colours)
        row[0].set_ylabel(f"z =\n{z:.4g} mm", color="white", fontsize=9, rotation=0, ha="right", va="center")
    for ax, (label, (_, colours)) in zip(axes[0], maps.items(), strict=True):
        left, _, width, _ = ax.get_position(original=True).bounds
        if colours["cmap"] is DIRECTION_COLOURS:
            figure.text(left + 0.005, 0.085, label, color="white", va="center")
            _draw_wheel(figure, (left + 0.5 * width, 0.035, 0.4 * width, 0.1))
        else:
            draw_bar(figure, (left + 0.1 * width, 0.115, 0.8 * width, 0.02), label, **colours, orientation="horizontal")
    return figure


def plot_classes(image, names, background):
    """A map of up to three classes, by their numbers from 0 and NaN where there is none, on up to four axial slices."""
    image = nibabel.as_closest_canonical(image)
    heights, painted = _choose_slices(image)
    colours = [colour for colour, _ in pair_up((ORANGE, SKY, PURPLE), names, "classes")]
    figure = dark_figure(4.4)
    grid = figure.add_gridspec(2, 2, left=0.01, right=0.99, bottom=0.06, top=0.91, wspace=0.02, hspace=0.15)
    scale = dict(cmap=ListedColormap(colours), vmin=-0.5, vmax=len(names) - 0.5)
    for place, k in zip(grid, heights, strict=False):
        ax = figure.add_subplot(place)
        z = _draw_slice(ax, image, k, slice_under(image, k, background), painted, scale)
        ax.set_xlabel(f"z = {z:.4g} mm", color="white", fontsize=9)
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)]
    figure.legend(handles=patches, loc="upper center", ncols=3, labelcolor="white")
    return figure


def _choose_slices(image):
    """Heights (k) of slices through the painted voxels, and the grid positions of all of these."""
    painted = np.argwhere(np.isfinite(image.get_fdata()))
    painted = painted if len(painted) else np.array([image.shape]) // 2
    return np.unique(np.quantile(painted[:, 2], [0.125, 0.375, 0.625, 0.875], method="nearest")), painted


def _draw_slice(ax, image, k, under, painted, colours):
    """Paint the slice at a height in the grid, as far as there are painted voxels; return its height in mm."""
    paint_slice(ax, image.dataobj[:, :, k], under, 0.6, **colours)
    zoom(ax, painted[:, :2])
    return nibabel.affines.apply_affine(image.affine, (0, 0, k))[2]


def _draw_wheel(figure, place):
    """The colours of the directions, in their directions."""
    ax = figure.add_axes(place, projection="polar", facecolor="none")
    edges = np.linspace(-np.pi, np.pi, 181)
    middles = np.degrees(edges[np.newaxis, :-1] + edges[1:]) / 2
    ax.pcolormesh(edges, [0.5, 1], middles, cmap=DIRECTION_COLOURS, vmin=-180, vmax=180)
    ax.set(ylim=(0, 1), yticks=[], xticks=np.radians([0, 90, 180, 270]), xticklabels=["0°", "90°", "180°", "-90°"])
    ax.tick_params(colors="white", pad=-3, labelsize=9)
    ax.spines[:].set_visible(False)
    ax.grid(False)
