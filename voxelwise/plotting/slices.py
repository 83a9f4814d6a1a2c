"""Marked voxels on slices of the brain, what they see, and what all pictures of slices share."""

import matplotlib.pyplot as plt
import nibabel
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle
from nilearn.image import load_img, resample_img

from .style import HALO, MARKS, PIXEL_COLOUR, SCORE_COLOURS, dark_figure, draw_screen, pair_up

#: Coefficients of fields below the first are hidden; the colours end at the second, or at a larger one. As published.
FIELD_THRESHOLD, FIELD_LIMIT = 0.1, 0.75


def plot_score_map(score_img, background, positions):
    """A slice of the score map, whole and from near, through the first of up to four grid positions; 0 is not painted.

    Voxels of other slices are not marked.
    """
    figure = dark_figure(4)
    shown = score_img, background, positions
    z = draw_marked_slice(figure.add_axes((0.0, 0.02, 0.4, 0.86)), *shown)
    draw_marked_slice(figure.add_axes((0.41, 0.02, 0.47, 0.86)), *shown, zoomed=True)
    draw_bar(figure, (0.9, 0.15, 0.018, 0.6), "R²", SCORE_COLOURS, 0, colour_limit(score_img.get_fdata()))
    figure.text(0.02, 0.93, f"Mean R² on held-out runs, slice at z = {z:g} mm", fontsize=12, color="white")
    return figure


def plot_summary(score_img, background, positions, fields, name, marked_pixel=None):
    """The marked voxels on the brain, as in :func:`plot_score_map`, and beside them what each of them sees, on black.

    ``fields`` has shape (n_voxels, n_rows, n_columns); the marked pixel, (row, column), is framed in each.
    """
    figure = dark_figure(4)
    draw_marked_slice(figure.add_axes((0.0, 0.0, 0.5, 1.0)), score_img, background, positions, zoomed=True)
    for number, ((colour, letter), field) in enumerate(pair_up(MARKS, fields, "fields")):
        row, column = divmod(number, 2)
        ax = figure.add_axes((0.535 + 0.235 * column, 0.52 - 0.48 * row, 0.215, 0.43), facecolor="black")
        # From the threshold on a colour stands out from the black of hidden coefficients.
        colours = LinearSegmentedColormap.from_list("field", [0.25 * np.array(to_rgb(colour)), colour, "white"])
        hidden = np.ma.masked_less(field, FIELD_THRESHOLD)
        draw_screen(ax, hidden, "0.4", cmap=colours, vmin=0, vmax=max(FIELD_LIMIT, np.max(fields)))
        if marked_pixel is not None:
            y, x = marked_pixel
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="none", edgecolor=PIXEL_COLOUR, lw=2.5))
        ax.text(0.04, 0.96, letter, color=colour, transform=ax.transAxes, va="top", weight="bold")
    figure.text(0.01, 0.03, name and f"recording: {name}", color="0.7", fontsize=9)
    return figure


def draw_marked_slice(ax, score_img, background, positions, zoomed=False):
    """Paint the axial slice through the first marked voxel, outline the marked ones; return its height in mm."""
    scores, marks = turn_to_page(score_img, positions)
    k = marks[0, 2]
    values = scores.dataobj[:, :, k]
    colours = dict(cmap=SCORE_COLOURS, vmin=0, vmax=colour_limit(score_img.get_fdata()))
    paint_slice(ax, np.ma.masked_equal(values, 0), slice_under(scores, k, background), **colours)
    for (colour, letter), (i, j, other_k) in pair_up(MARKS, marks, "positions"):
        if other_k == k:
            ax.add_patch(Rectangle((i - 0.42, j - 0.42), 0.84, 0.84, facecolor="none", edgecolor=colour, lw=1.5))
            if zoomed:  # the letter stands beside its voxel, away from the others
                away = np.array([i, j]) - marks[:, :2].mean(axis=0)
                place = (i, j) + away / max(np.hypot(*away), 1e-9)
                ax.text(*place, letter, ha="center", va="center", weight="bold", color=colour, path_effects=[HALO])
    if zoomed:
        zoom(ax, np.argwhere(values) if values.any() else marks[:, :2])
    return float(nibabel.affines.apply_affine(scores.affine, marks[0])[2])


def turn_to_page(image, positions):
    """An image with its axes as they are seen, rightwards, to the front and up, and where grid positions lie in it."""
    turned = nibabel.as_closest_canonical(image)
    turn = np.linalg.inv(turned.affine) @ image.affine
    return turned, np.rint(nibabel.affines.apply_affine(turn, positions)).astype(int)


def slice_under(image, k, background):
    """The background, if there is one, of the slice at the height ``k`` of an image's grid, to paint on."""
    if background is not None:
        return background_box(background, image, (0, 0, k), (*image.shape[:2], 1), (3, 3, 1))[:, :, 0]
    return None


def paint_slice(ax, painted, under, background_alpha=None, **colours):
    """Draw the slice of a map over the background, as :func:`slice_under` makes it.

    It has shape (n_columns, n_rows), and is masked or NaN where that shall be seen. Each voxel is a square, centred
    on its grid position: nilearn's own slices put its corner there, half a voxel off against a finer background.
    """
    n_columns, n_rows = painted.shape
    frame = dict(origin="lower", extent=(-0.5, n_columns - 0.5, -0.5, n_rows - 0.5))
    ax.set(facecolor="black", xticks=[], yticks=[])
    if under is not None:
        ax.imshow(under.T, interpolation="bilinear", alpha=background_alpha, **frame)
    ax.imshow(painted.T, **colours, **frame)


def zoom(ax, positions):
    """Show only the voxels at these positions (column, row), and a rim of one voxel around them."""
    (left, bottom), (right, top) = positions.min(axis=0) - 1.5, positions.max(axis=0) + 1.5
    ax.set(xlim=(left, right), ylim=(bottom, top))


def background_box(background, scores, first, shape, fineness):
    """The background from the voxel ``first`` on, ``shape`` voxels with ``fineness`` points along each axis."""
    fineness = np.array(fineness)
    affine = scores.affine @ np.diag([*(1 / fineness), 1])
    corner = 0.5 / fineness - 0.5  # the centre of the first fine point, in voxels
    affine[:3, 3] = nibabel.affines.apply_affine(scores.affine, first + corner)
    image = load_img(background, dtype=np.float32)
    return resample_img(image, affine, tuple(shape * fineness), copy_header=True, force_resample=True).get_fdata()


def draw_bar(figure, place, label, cmap, vmin, vmax, orientation="vertical"):
    """A colour scale on black."""
    scale = plt.cm.ScalarMappable(plt.Normalize(vmin, vmax), cmap)
    bar = figure.colorbar(scale, cax=figure.add_axes(place), orientation=orientation)
    bar.set_label(label, color="white")
    bar.ax.tick_params(colors="white")
    bar.outline.set_edgecolor("white")


def colour_limit(values):
    """Where a colour scale ends: at the largest value, to the next tenth."""
    return max(np.ceil(np.max(values) * 10) / 10, 0.1)


def tile(slices):
    """A picture of slices, shape (n_slices, height, width, ...), the lowest row first; and how many stand in a row."""
    n_slices, height, width, *rest = slices.shape
    n_columns = int(np.ceil(np.sqrt(n_slices)))
    n_rows = -(-n_slices // n_columns)
    tiles = np.pad(slices[:, ::-1], [(0, n_rows * n_columns - n_slices)] + [(0, 0)] * (slices.ndim - 1))
    tiles = tiles.reshape(n_rows, n_columns, height, width, *rest).swapaxes(1, 2)
    return tiles.reshape(n_rows * height, n_columns * width, *rest), n_columns
