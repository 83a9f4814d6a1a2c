"""Every figure that the chapters draw.

The functions take arrays and images and compute nothing but where to draw. Each returns its figure, a Figure of
Matplotlib.
"""

# ruff: noqa: F401 (what is imported here is what the package offers)
from .chance import plot_chance, plot_power
from .charts import (
    plot_designs,
    plot_differences,
    plot_learning_curves,
    plot_regions,
    plot_repeats,
    plot_score_histogram,
    plot_stimuli,
)
from .comparisons import plot_field_pairs, plot_lags, plot_partition, plot_score_groups, plot_score_pairs
from .decoding import plot_candidates, plot_identification, plot_pixel_map, plot_reconstructions
from .maps import plot_classes, plot_maps
from .samples import (
    plot_alpha_search,
    plot_cleaning,
    plot_folds,
    plot_matrices,
    plot_nested_folds,
    plot_overfitting,
    plot_shifts,
    plot_time_course,
)
from .slices import plot_score_map, plot_summary
from .style import DIRECTION_COLOURS, MARK_COLOURS, MARK_LETTERS, use_book_style
from .telling import guess, show_figure
from .visual_field import plot_centres, plot_recovery, plot_sizes
