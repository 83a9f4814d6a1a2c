"""Every figure that the chapters draw.

The functions take arrays and images and compute nothing but where to draw. Each returns its figure.
"""

from .charts import plot_alpha_search, plot_images, plot_score_histogram, plot_time_course
from .fields import plot_fields, plot_summary
from .maps import DIRECTION_COLOURS, plot_maps
from .slices import plot_score_map
from .style import MARK_COLOURS, MARK_LETTERS, use_book_style
from .visual_field import plot_centres, plot_recovery, plot_sizes

__all__ = [
    "DIRECTION_COLOURS",
    "MARK_COLOURS",
    "MARK_LETTERS",
    "plot_alpha_search",
    "plot_centres",
    "plot_fields",
    "plot_images",
    "plot_maps",
    "plot_recovery",
    "plot_score_histogram",
    "plot_score_map",
    "plot_sizes",
    "plot_summary",
    "plot_time_course",
    "use_book_style",
]
