"""Voxelwise encoding models: from the image on the screen to the response of each voxel."""

from .alpha_search import AlphaSearch, search_alpha
from .brain import choose_voxels, grid_positions, regions_of_interest, to_image, voxel_at
from .encoding import cross_validate_ridge, predict_ridge, whole_run_folds
from .errors import RecordingError
from .files import load_images
from .population_fields import fit_population_fields, polar_coordinates
from .receptive_fields import fit_receptive_fields
from .recording import Recording, load_recording
from .retinotopy import true_fields
from .samples import Samples, correlate_with_screen, is_rest, load_run_images, load_samples
from .settings import check_settings

__all__ = [
    "AlphaSearch",
    "Recording",
    "RecordingError",
    "Samples",
    "check_settings",
    "choose_voxels",
    "correlate_with_screen",
    "cross_validate_ridge",
    "fit_population_fields",
    "fit_receptive_fields",
    "grid_positions",
    "is_rest",
    "load_images",
    "load_recording",
    "load_run_images",
    "load_samples",
    "polar_coordinates",
    "predict_ridge",
    "regions_of_interest",
    "search_alpha",
    "to_image",
    "true_fields",
    "voxel_at",
    "whole_run_folds",
]
