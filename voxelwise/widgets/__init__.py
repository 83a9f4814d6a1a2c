"""Pictures to touch, of the brain and of a model: they need a browser, but no kernel, no network and no server."""

from .draw import draw_and_read
from .knobs import turn_knobs
from .lag import slide_lag
from .planes import view_planes
from .voxels import explore_voxels

__all__ = ["draw_and_read", "explore_voxels", "slide_lag", "turn_knobs", "view_planes"]
