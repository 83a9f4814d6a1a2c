"""Still pictures for where the interactive ones cannot run."""

import matplotlib.pyplot as plt
import nibabel
import numpy as np

from .slices import background_plane, colour_limit, draw_bar, draw_marked_slice, paint_slice, tile, turn_to_page
from .style import BLUE, FIELD_COLOURS, GREY, SCORE_COLOURS, VERMILION, dark_figure, draw_legend, draw_screen, settle


def plot_explored(score_img, background, positions, field, field_limit):
    """A slice of the score map as in :func:`plot_score_map`, and beside it the field of the first marked voxel.

    The field has shape (n_rows, n_columns); ``field_limit`` is where its colours end, on either side.
    """
    figure, limit = dark_figure(4), colour_limit(score_img.get_fdata())
    draw_marked_slice(figure.add_axes((0.01, 0.2, 0.56, 0.78)), score_img, background, positions, zoomed=True)
    draw_bar(figure, (0.06, 0.15, 0.46, 0.03), "R²", SCORE_COLOURS, 0, limit, "horizontal")
    ax = figure.add_axes((0.62, 0.26, 0.36, 0.65))
    ax.imshow(field, origin="upper", cmap=FIELD_COLOURS, vmin=-field_limit, vmax=field_limit)
    ax.set(xticks=range(0, field.shape[1], 3), yticks=range(0, field.shape[0], 3))
    ax.tick_params(colors="white")
    ax.set_title("What voxel A sees", color="white")
    scale = "SD per unit of pixel", FIELD_COLOURS, -field_limit, field_limit
    draw_bar(figure, (0.67, 0.15, 0.26, 0.03), *scale, "horizontal")
    return figure


def plot_planes(score_img, background, position):
    """The three planes of the score map through the voxel at a grid position."""
    scores, place = turn_to_page(score_img, position)
    values = np.ma.masked_equal(scores.get_fdata(), 0)
    figure, limit = dark_figure(3.4), colour_limit(scores.get_fdata())
    sizes = nibabel.affines.voxel_sizes(scores.affine)
    for normal, name in enumerate("xyz"):
        across, up = (axis for axis in range(3) if axis != normal)
        ax = figure.add_axes((0.01 + 0.33 * normal, 0.24, 0.32, 0.68))
        under = background_plane(background, scores, place, normal)
        painted = values.take(place[normal], axis=normal)
        paint_slice(ax, painted, under, cmap=SCORE_COLOURS, vmin=0, vmax=limit)
        ax.set_aspect(sizes[up] / sizes[across])
        ax.axvline(place[across], color="white", linewidth=0.7)
        ax.axhline(place[up], color="white", linewidth=0.7)
        millimetres = nibabel.affines.apply_affine(scores.affine, place)[normal]
        at = 0.17 + 0.33 * normal, 0.94
        figure.text(*at, f"{name} = {millimetres:.4g} mm", color="white", ha="center", fontsize=10)
    draw_bar(figure, (0.3, 0.17, 0.4, 0.03), "R²", SCORE_COLOURS, 0, limit, "horizontal")
    return figure


def plot_drawn(stimulus, responses, under, read, limits, response_limit):
    """A drawing, the responses to it on slices of the brain, and the drawing as it is read back.

    ``responses`` and the grey levels ``under`` them, finer by a whole factor, have shape (n_slices, height, width), the
    lowest row first; what is NaN is not painted.
    """
    figure = dark_figure(3.4)
    for left, title, picture in ((0.01, "Drawn", stimulus), (0.73, "Read back, shown once", read)):
        ax = figure.add_axes((left, 0.22, 0.26, 0.64))
        ax.imshow(picture, cmap="gray", vmin=limits[0], vmax=limits[1])
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_color("0.6")
        figure.text(left + 0.13, 0.91, title, color="white", ha="center", fontsize=10)
    painted = responses.repeat(fine := under.shape[1] // responses.shape[1], axis=1).repeat(fine, axis=2)
    grey = under[..., np.newaxis] / 510  # dim, so that the responses shine
    colours = plt.get_cmap(SCORE_COLOURS)(painted / response_limit)[..., :3]
    slices = np.where(np.isnan(painted)[..., np.newaxis], grey, colours)
    ax = figure.add_axes((0.3, 0.22, 0.4, 0.66))
    ax.imshow(tile(slices)[0], interpolation="nearest")
    ax.set_axis_off()
    figure.text(0.5, 0.91, "Responses of the voxels", color="white", ha="center", fontsize=10)
    draw_bar(figure, (0.35, 0.15, 0.3, 0.03), "% of baseline", SCORE_COLOURS, 0, response_limit, "horizontal")
    return figure


def plot_slid(response, shown, lag, r, hrf, t_r):
    """A voxel's course over grey bands where there was a stimulus ``lag`` volumes before; its correlation with them by
    lag, and a haemodynamic response, (seconds, values)."""
    figure, axes = plt.subplot_mosaic("cc;lr", figsize=(8, 4.4), layout="constrained")
    course, left, right = axes.values()
    volumes, screen = np.arange(len(shown)) + lag, course.get_xaxis_transform()
    course.fill_between(volumes, 0, 1, where=shown > 0, color="0.85", step="mid", transform=screen)
    course.plot(response, color=BLUE)
    course.set(xlabel="Volume", ylabel="Response (SD)", xlim=(0, len(response) - 1))
    left.plot(r, color=VERMILION)
    left.plot(lag, r[lag], "o", color=VERMILION)
    left.set(xlabel="Lag (volumes)", ylabel="Correlation")
    right.plot(*hrf, color=BLUE)
    right.plot(lag * t_r, np.interp(lag * t_r, *hrf), "o", color=BLUE)
    right.set(xlabel="Seconds", ylabel="Blood response")
    return settle(figure)


def plot_knobs(lasso, limit, lag, ridge, alphas, r2, course):
    """Two fields of voxel A, R2 on training and on held-out runs by penalty, and the course of a held-out run.

    The fields have shape (n_rows, n_columns) and colours that end at ``limit``, ``r2`` has shape (2, n_alphas). The
    last of the penalties is the one that is marked, and whose field and predictions are shown.
    """
    figure, axes = plt.subplot_mosaic(
        "abc;ddd", figsize=(8, 5), width_ratios=(1, 1, 1.8), height_ratios=(1.25, 1), layout="constrained"
    )
    *squares, right, below = axes.values()
    for ax, name, field in zip(squares, ("ridge", "lasso"), (ridge, lasso), strict=True):
        drawn = draw_screen(ax, field, cmap=FIELD_COLOURS, vmin=-limit, vmax=limit)
        ax.set_title(f"Voxel A, {name}")
    figure.colorbar(drawn, ax=squares, location="bottom", label="SD per unit of pixel")
    for name, colour, scores in zip(("training runs", "held-out runs"), (VERMILION, BLUE), r2, strict=True):
        right.semilogx(alphas[:-1], scores[:-1], color=colour, label=name)
        right.plot(alphas[-1], scores[-1], "o", color=colour)
    right.set(xlabel="Penalty", ylabel="R²")
    volumes = lag + np.arange(len(course[0]))
    for name, colour, values in zip(("measured", "predicted"), (GREY, BLUE), course, strict=True):
        below.plot(volumes, values, color=colour, label=name)
    below.set(xlabel="Volume of a held-out run", ylabel="Response (SD)")
    for ax in (right, below):
        draw_legend(ax, 2, fontsize=9)
    return settle(figure)
