"""Maps and marked voxels on slices of the brain, and what they see."""

import matplotlib.pyplot as plt
import nibabel
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgb
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from nilearn.image import load_img, resample_img

from . import style
from .style import DIRECTION_COLOURS, FRAME, MARKS, SCORE_COLOURS, dark_figure, draw_screen, pair_up

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
    for number, ((colour, letter), field) in enumerate(pair_up(MARKS, fields)):
        row, column = divmod(number, 2)
        ax = figure.add_axes((0.535 + 0.235 * column, 0.52 - 0.48 * row, 0.215, 0.43), facecolor="black")
        # From the threshold on a colour stands out from the black of hidden coefficients.
        colours = LinearSegmentedColormap.from_list("field", [0.25 * np.array(to_rgb(colour)), colour, "white"])
        hidden = np.ma.masked_less(field, FIELD_THRESHOLD)
        draw_screen(ax, hidden, "0.4", cmap=colours, vmin=0, vmax=max(FIELD_LIMIT, np.max(fields)))
        if marked_pixel is not None:
            y, x = marked_pixel
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="none", edgecolor="#FF3030", lw=2.5))
        ax.text(0.04, 0.96, letter, color=colour, transform=ax.transAxes, va="top", weight="bold")
    figure.text(0.01, 0.03, name and f"recording: {name}", color="0.7", fontsize=9)
    return figure


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
        under = slice_under(images[0], k, background)  # once for all maps: an anatomical image takes seconds
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
    colours = [colour for colour, _ in pair_up((style.ORANGE, style.SKY, style.PURPLE), names)]
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


def plot_drawn(stimulus, responses, under, read, limits, response_limit):
    """A drawing, the responses to it on slices of the brain, and the drawing as it is read back.

    ``responses``, NaN where there is no voxel, and the grey levels ``under`` them, finer by a whole factor, are arrays
    (n_slices, height, width), the lowest row first.
    """
    figure = dark_figure(3.4)
    for middle, title in ((0.14, "Drawn"), (0.5, "Responses of the voxels"), (0.86, "Read back, shown once")):
        figure.text(middle, 0.91, title, color="white", ha="center", fontsize=10)
    for left, picture in ((0.01, stimulus), (0.73, read)):
        ax = figure.add_axes((left, 0.22, 0.26, 0.64), xticks=[], yticks=[])
        ax.imshow(picture, cmap="gray", vmin=limits[0], vmax=limits[1])
        ax.spines[:].set_color(FRAME)
    painted = responses.repeat(fine := under.shape[1] // responses.shape[1], axis=1).repeat(fine, axis=2)
    grey = under[..., np.newaxis] / 510  # dim, so that the responses shine
    colours = plt.get_cmap(SCORE_COLOURS)(painted / response_limit)[..., :3]
    slices = np.where(np.isnan(painted)[..., np.newaxis], grey, colours)
    ax = figure.add_axes((0.3, 0.22, 0.4, 0.66))
    ax.imshow(tile(slices)[0], interpolation="nearest")
    ax.set_axis_off()
    draw_bar(figure, (0.35, 0.15, 0.3, 0.03), "% of baseline", SCORE_COLOURS, 0, response_limit, "horizontal")
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


def draw_marked_slice(ax, score_img, background, positions, zoomed=False):
    """Paint the axial slice through the first marked voxel, outline the marked ones; return its height in mm."""
    scores, marks = turn_to_page(score_img, positions)
    k = marks[0, 2]
    values = scores.dataobj[:, :, k]
    colours = dict(cmap=SCORE_COLOURS, vmin=0, vmax=colour_limit(score_img.get_fdata()))
    paint_slice(ax, np.ma.masked_equal(values, 0), slice_under(scores, k, background), **colours)
    for (colour, letter), (i, j, other_k) in pair_up(MARKS, marks):
        if other_k == k:
            ax.add_patch(Rectangle((i - 0.42, j - 0.42), 0.84, 0.84, facecolor="none", edgecolor=colour, lw=1.5))
            if zoomed:  # the letter stands beside its voxel, away from the others
                away = np.array([i, j]) - marks[:, :2].mean(axis=0)
                place = (i, j) + away / max(np.hypot(*away), 1e-9)
                halo = withStroke(linewidth=3.5, foreground="black")
                ax.text(*place, letter, ha="center", va="center", weight="bold", color=colour, path_effects=[halo])
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
    if background is None:
        return None
    return background_box(background, image, (0, 0, k), (*image.shape[:2], 1), (3, 3, 1))[:, :, 0]


def paint_slice(ax, painted, under, background_alpha=None, **colours):
    """Draw the slice of a map, shape (n_columns, n_rows), over its background, as :func:`slice_under` makes it.

    Masked or NaN shows the background. A voxel is a square around its grid position: nilearn puts its corner there.
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
