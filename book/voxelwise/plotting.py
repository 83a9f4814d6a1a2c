"""Every figure that the chapters draw.

The functions take arrays and images and compute nothing but where to draw. Each returns its figure.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import nibabel
import numpy as np
from IPython import get_ipython
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib_inline.backend_inline import set_matplotlib_formats
from nilearn.image import load_img, new_img_like, resample_img

#: One colour for each marked voxel, on the brain and in its field; told apart by colour-blind readers (Okabe and Ito).
MARK_COLOURS = ("#56B4E9", "#009E73", "#E69F00", "#CC79A7")
MARK_LETTERS = "ABCD"
HALO = withStroke(linewidth=3.5, foreground="black")
SCORE_COLOURS = "plasma"
#: Coefficients below the first are hidden; the colours end at the second, or at a larger coefficient. As published.
FIELD_THRESHOLD, FIELD_LIMIT = 0.1, 0.75


def use_book_style():
    """Set the book's look for all figures that follow."""
    plt.style.use(Path(__file__).with_name("book.mplstyle"))
    if get_ipython() is not None:
        # The notebook's default crops each figure to its content; the book keeps the canvas.
        set_matplotlib_formats("png", bbox_inches=None)


def plot_images(images, titles):
    """Images as they were on the screen, side by side.

    Parameters
    ----------
    images : sequence of ndarray, shape (n_rows, n_columns)
        The smallest value of all is black, the largest white.
    titles : sequence of str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(1, len(images), squeeze=False)
    for ax, image, title in zip(axes.flat, images, titles, strict=True):
        ax.imshow(image, vmin=np.min(images), vmax=np.max(images))
        ax.set(title=title, xlabel="column", ylabel="row")
        ax.spines[:].set_visible(True)
    return figure


def plot_time_course(response, shown, prediction=None):
    """Response of a voxel over one run.

    Parameters
    ----------
    response : ndarray, shape (n_volumes,)
    shown : ndarray of bool, shape (n_volumes,)
        Whether an image was on the screen; these volumes are shaded.
    prediction : ndarray, shape (n_volumes,), optional

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots(figsize=(8, 3.2))
    volumes = np.arange(1, len(response) + 1)
    edges = np.arange(len(response) + 1) + 0.5
    shade = dict(fill=True, color="0.88", transform=ax.get_xaxis_transform())
    ax.stairs(shown, edges, label="image on screen", **shade)
    ax.plot(volumes, response, color="0.25", label="measured")
    if prediction is not None:
        ax.plot(volumes, prediction, color="C1", label="predicted")
    ax.set(xlabel="volume", ylabel="response (SD)", xlim=(edges[0], edges[-1]))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return figure


def plot_score_histogram(scores, bin_width=0.06):
    """How many voxels reach which score.

    Parameters
    ----------
    scores : ndarray, shape (n_voxels,)
    bin_width : float
        The published histogram has bins of 0.06.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots(figsize=(8, 3.6))
    first, last = np.floor(scores.min() / bin_width), np.ceil(scores.max() / bin_width)
    edges = np.arange(first, last + 1) * bin_width
    ax.hist(scores, edges, color="C0", edgecolor="white", log=True)
    ax.axvline(0, color="0.25", linewidth=1, linestyle="--")
    ax.set(xlabel="R² on held-out runs, mean over folds", ylabel="voxels (log scale)")
    return figure


def plot_score_map(score_img, background, positions):
    """A slice of the score map through the marked voxels, whole and from near.

    Parameters
    ----------
    score_img : Nifti1Image
        Zero where nothing shall be painted.
    background : path, Nifti1Image or None
        Anatomical image under the map.
    positions : sequence of (int, int, int)
        Grid positions of up to four voxels. The slice goes through the first; voxels of other slices are not marked.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure = plt.figure(figsize=(8, 4), layout="none", facecolor="black")
    whole = figure.add_axes((0.0, 0.02, 0.4, 0.86))
    near = figure.add_axes((0.41, 0.02, 0.47, 0.86))
    z = _draw_slice(whole, score_img, background, positions)
    _draw_slice(near, score_img, background, positions, zoomed=True)
    _draw_score_bar(figure, (0.9, 0.15, 0.018, 0.6), score_img)
    figure.text(0.02, 0.93, f"Mean R² on held-out runs, slice at z = {z:g} mm", fontsize=12, color="white")
    return figure


def plot_fields(fields, titles, marked_pixel=None, threshold=FIELD_THRESHOLD):
    """Receptive fields of up to four voxels, each in its colour on black.

    Parameters
    ----------
    fields : ndarray, shape (n_voxels, n_rows, n_columns)
    titles : sequence of str
    marked_pixel : (int, int), optional
        Row and column of a pixel that is outlined in every field.
    threshold : float
        Coefficients below it are hidden.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(2, 2, figsize=(8, 6.8))
    limit = max(FIELD_LIMIT, np.max(fields))
    for number, (ax, field, title) in enumerate(zip(axes.flat, fields, titles, strict=False)):
        drawn = _draw_field(ax, field, number, marked_pixel, limit, threshold)
        ax.set_title(title)
        figure.colorbar(drawn, ax=ax, label="SD per unit of pixel")
    for ax in axes.flat[len(fields) :]:
        ax.set_axis_off()
    return figure


def plot_summary(score_img, background, positions, fields, name, marked_pixel=None):
    """The marked voxels on the brain, and beside them what each of them sees.

    Parameters
    ----------
    score_img, background, positions
        As in :func:`plot_score_map`.
    fields, marked_pixel
        As in :func:`plot_fields`.
    name : str
        The recording's.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure = plt.figure(figsize=(8, 4), layout="none", facecolor="black")
    _draw_slice(figure.add_axes((0.0, 0.0, 0.5, 1.0)), score_img, background, positions, zoomed=True)
    for number, field in enumerate(fields):
        row, column = divmod(number, 2)
        ax = figure.add_axes((0.535 + 0.235 * column, 0.52 - 0.48 * row, 0.215, 0.43))
        _draw_field(ax, field, number, marked_pixel, max(FIELD_LIMIT, np.max(fields)))
        ax.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        ax.text(0.04, 0.96, MARK_LETTERS[number], color=MARK_COLOURS[number], transform=ax.transAxes, va="top", weight="bold")
    figure.text(0.01, 0.03, f"recording: {name}", color="0.7", fontsize=9)
    return figure


def _draw_slice(ax, score_img, background, positions, zoomed=False):
    """Paint the axial slice through the first marked voxel, outline the marked ones; return its height in mm.

    Drawn in units of voxels, one square a voxel and centred on its grid position: nilearn's own slices put a voxel's
    corner there, which would shift the map by half a voxel against a finer background.
    """
    scores = nibabel.as_closest_canonical(score_img)
    to_canonical = np.linalg.inv(scores.affine) @ score_img.affine
    marks = np.rint(nibabel.affines.apply_affine(to_canonical, positions)).astype(int)
    k = marks[0, 2]
    n_columns, n_rows = scores.shape[:2]
    frame = dict(origin="lower", extent=(-0.5, n_columns - 0.5, -0.5, n_rows - 0.5))

    ax.set(facecolor="black", xticks=[], yticks=[])
    if background is not None:
        ax.imshow(_background_slice(background, scores, k).T, interpolation="bilinear", **frame)
    painted = np.asarray(scores.dataobj)[:, :, k]
    ax.imshow(np.ma.masked_equal(painted, 0).T, cmap=SCORE_COLOURS, vmin=0, vmax=_limit(score_img), **frame)
    for colour, letter, (i, j, other_k) in zip(MARK_COLOURS, MARK_LETTERS, marks, strict=False):
        if other_k == k:
            box = Rectangle((i - 0.44, j - 0.44), 0.88, 0.88, facecolor="none", edgecolor=colour, lw=2)
            ax.add_patch(box).set_path_effects([HALO])
            if zoomed:
                ax.text(i, j, letter, ha="center", va="center", weight="bold", color=colour, path_effects=[HALO])
    if zoomed:
        shown = np.argwhere(painted != 0) if painted.any() else marks[:, :2]
        (left, bottom), (right, top) = shown.min(axis=0) - 1.5, shown.max(axis=0) + 1.5
        ax.set(xlim=(left, right), ylim=(bottom, top))
    return float(nibabel.affines.apply_affine(scores.affine, marks[0])[2])


def _background_slice(background, scores, k, fineness=3):
    """The background in one axial slice of the score map, ``fineness`` points for each voxel's width."""
    affine = scores.affine @ np.diag([1 / fineness, 1 / fineness, 1, 1])
    corner = 0.5 / fineness - 0.5  # the centre of the first fine point, in voxels
    affine[:3, 3] = nibabel.affines.apply_affine(scores.affine, (corner, corner, k))
    shape = (scores.shape[0] * fineness, scores.shape[1] * fineness, 1)
    image = load_img(background)
    image = new_img_like(image, image.get_fdata(dtype=np.float32))
    return resample_img(image, affine, shape, copy_header=True, force_resample=True).get_fdata()[:, :, 0]


def _draw_score_bar(figure, place, score_img):
    """The colour scale of the score map."""
    scale = plt.cm.ScalarMappable(plt.Normalize(0, _limit(score_img)), SCORE_COLOURS)
    bar = figure.colorbar(scale, cax=figure.add_axes(place))
    bar.set_label("R²", color="white")
    bar.ax.tick_params(colors="white")
    bar.outline.set_edgecolor("white")


def _limit(score_img):
    """Upper end of the score scale: the best score, to the next tenth."""
    return max(np.ceil(score_img.get_fdata().max() * 10) / 10, 0.1)


def _draw_field(ax, field, number, marked_pixel, limit, threshold=FIELD_THRESHOLD):
    """One field on black, in the colour of its voxel; coefficients of ``limit`` are white."""
    ax.imshow(np.zeros(field.shape), vmin=0, vmax=1)
    colour = np.array(to_rgb(MARK_COLOURS[number]))
    # From the threshold on a colour stands out from the black of hidden coefficients.
    first = 0.25 * colour if threshold > 0 else 0 * colour
    colours = LinearSegmentedColormap.from_list(MARK_LETTERS[number], [first, colour, (1, 1, 1)])
    drawn = ax.imshow(np.ma.masked_less(field, threshold), cmap=colours, vmin=0, vmax=limit)
    ax.spines[:].set(visible=True, color="0.4")
    ax.set(xticks=range(0, field.shape[1], 3), yticks=range(0, field.shape[0], 3))
    if marked_pixel is not None:
        row, column = marked_pixel
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="none", edgecolor="#FF3030", lw=2.5))
    return drawn
