"""Receptive fields of many voxels: where they lie on the screen, how large they are, how near to the truth."""

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, Rectangle

from .style import BLUE, FRAME, GREY, GUIDE, INK, VERMILION, draw_diagonal, pair_up, settle


def plot_centres(groups, stimulus_shape, radius):
    """Where fields lie, ``row`` and ``column``, and a circle of this radius; a panel for each of up to three groups."""
    n_rows, n_columns = stimulus_shape
    middle = (n_columns - 1) / 2, (n_rows - 1) / 2
    ticks = [range(0, n_pixels, max(1, round(n_pixels / 4))) for n_pixels in (n_columns, n_rows)]
    figure, axes = plt.subplots(1, len(groups), figsize=(8, 4.3), sharex=True, sharey=True, squeeze=False)
    for ax, (colour, (name, fields)) in zip(axes.flat, pair_up((BLUE, VERMILION, GREY), groups.items()), strict=True):
        ax.add_patch(Rectangle((-0.5, -0.5), n_columns, n_rows, facecolor="0.94", edgecolor=FRAME))
        ax.add_patch(Circle(middle, radius, facecolor="none", edgecolor=INK))
        ax.axvline(middle[0], **GUIDE, linestyle=":")
        ax.axhline(middle[1], **GUIDE, linestyle=":")
        ax.scatter("column", "row", data=fields, s=14, color=colour, alpha=0.5, linewidth=0, zorder=3)
        margin = 0.5 + max(1, max(stimulus_shape) / 10)
        ax.set(xlim=(-margin, n_columns - 1 + margin), ylim=(n_rows - 1 + margin, -margin), aspect="equal")
        ax.set(xticks=ticks[0], yticks=ticks[1], xlabel="column", title=name)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    axes[0, 0].set_ylabel("row")
    return settle(figure)


def plot_sizes(groups, lines, truth=None):
    """How the size of a field depends on its eccentricity, one panel for each of up to six groups of voxels.

    All are DataFrames of ``eccentricity`` and ``size`` in pixels, by the name of the group: its fields, its line, and
    optionally the true line. The first group's line is repeated in grey in all panels.
    """
    n_rows = 1 + (len(groups) > 3)
    shape = n_rows, -(-len(groups) // n_rows)
    figure, axes = plt.subplots(*shape, figsize=(8, 2.2 * n_rows + 1.2), sharex=True, sharey=True, squeeze=False)
    axis, first = ("eccentricity", "size"), next(iter(groups))
    for ax, (name, fields) in zip(axes.flat, groups.items(), strict=False):
        ax.scatter(*axis, data=fields, s=10, color=BLUE, alpha=0.25, linewidth=0, label="voxel")
        if name != first:
            ax.plot(*axis, data=lines[first], color=FRAME, label=f"median, {first}")
        ax.plot(*axis, "o-", data=lines[name], color=BLUE, markersize=4, label="median")
        if truth is not None:
            ax.plot(*axis, "--", data=truth[name], color=VERMILION, label="true median")
        ax.set_title(f"{name} (n = {len(fields)})")
        ax.tick_params(labelbottom=True)
    for unused in axes.flat[len(groups) :]:
        unused.set_axis_off()
    axes[0, 0].set(xlim=(0, None), ylim=(0, None))
    figure.supxlabel("eccentricity (pixels)", fontsize=11)
    figure.supylabel("size (pixels)", fontsize=11)
    handles = {label: handle for ax in axes.flat for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=4)
    return settle(figure)


def plot_recovery(truth, found):
    """What up to two methods ``found`` of each field's ``row``, ``column`` and ``size`` against the truth.

    ``found`` holds, by the method's name, those of the columns that it finds, in the order of ``truth``.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 3.3))
    for ax, measure in zip(axes, ("row", "column", "size"), strict=True):
        for colour, (method, fields) in pair_up((VERMILION, BLUE), found.items()):
            if measure in fields:
                ax.scatter(truth[measure], fields[measure], s=10, alpha=0.4, linewidth=0, color=colour, label=method)
        draw_diagonal(ax)
        ax.set(title=measure, xlabel="true (pixels)", ylabel="found (pixels)")
        ax.locator_params(nbins=6, steps=[1, 2, 5, 10])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, markerscale=2)
    return settle(figure)
