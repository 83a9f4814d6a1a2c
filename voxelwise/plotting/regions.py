"""Measures of regions, side by side."""

import matplotlib.pyplot as plt
import numpy as np

#: One colour for each group, told apart by colour-blind readers (Okabe and Ito).
GROUP_COLOURS = ("#0072B2", "#D55E00")


def plot_regions(groups, measures):
    """Dots for each region, one panel a measure.

    Parameters
    ----------
    groups : dict of str -> DataFrame
        By the name of the group, one row a region with a column for each measure; NaN is not drawn. Up to two groups,
        whose regions of the same name share a place.
    measures : sequence of str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group.index))
    place = {name: number for number, name in enumerate(names)}
    figure, axes = plt.subplots(len(measures), 1, figsize=(8, 1.8 * len(measures) + 1.2), sharex=True, squeeze=False)
    for ax, measure in zip(axes.flat, measures, strict=True):
        for colour, (name, group) in zip(GROUP_COLOURS, groups.items(), strict=False):
            x = np.array([place[region] for region in group.index])
            ax.plot(x, group[measure], "o", color=colour, alpha=0.8, label=name)
        ax.set_ylabel(measure.replace(" than ", " than\n"))
        ax.grid(axis="x", color="0.9")
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    axes[-1, 0].set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes[0, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure
