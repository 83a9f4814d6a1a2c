"""Every figure that the chapters draw.

The functions take arrays and images, compute nothing but where to draw, and return the figure, one of Matplotlib's.
"""

# ruff: noqa: F401 (what is imported here is what the package offers)
from .charts import plot_chance, plot_differences, plot_learning_curves, plot_power, plot_regions, plot_score_histogram
from .comparisons import plot_field_pairs, plot_lags, plot_partition, plot_repeats, plot_score_groups, plot_score_pairs
from .decoding import plot_candidates, plot_identification, plot_pixel_map, plot_reconstructions
from .fitting import plot_alpha_search, plot_folds, plot_nested_folds, plot_overfitting
from .samples import plot_cleaning, plot_designs, plot_matrices, plot_shifts, plot_stimuli, plot_time_course
from .slices import plot_classes, plot_maps, plot_score_map, plot_summary
from .style import DIRECTION_COLOURS, MARK_COLOURS, MARK_LETTERS, use_book_style
from .telling import guess, show_figure
from .visual_field import plot_centres, plot_recovery, plot_sizes
