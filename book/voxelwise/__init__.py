"""Voxelwise encoding models: from the image on the screen to the response of each voxel."""

from .alpha_search import AlphaSearch, search_alpha
from .brain import choose_voxels, grid_positions, group_by_area, regions_of_interest, to_image, voxel_at
from .ceiling import NoiseCeiling, find_blocks, noise_ceiling
from .codings import CODINGS, at_lags, recode
from .encoding import cross_validate_ridge, predict_ridge, whole_run_folds
from .errors import RecordingError
from .files import load_images
from .identification import Identification, identify
from .patterns import PatternModel, average_blocks, best_voxels, fit_patterns, fit_without_each_fold
from .population_fields import fit_population_fields, polar_coordinates
from .receptive_fields import fit_receptive_fields
from .reconstruction import reconstruct, score_pixels
from .recording import Recording, load_recording
from .retinotopy import true_fields
from .samples import Samples, correlate_with_screen, is_rest, load_run_images, load_samples
from .settings import check_settings
from .significance import PermutationTest, permutation_test, shift_within_runs
from .transfer import score_transfer
from .true_signal import true_ceiling, true_parts, true_time_course

__all__ = [
    "CODINGS",
    "AlphaSearch",
    "Identification",
    "NoiseCeiling",
    "PatternModel",
    "PermutationTest",
    "Recording",
    "RecordingError",
    "Samples",
    "at_lags",
    "average_blocks",
    "best_voxels",
    "check_settings",
    "choose_voxels",
    "correlate_with_screen",
    "cross_validate_ridge",
    "find_blocks",
    "fit_patterns",
    "fit_population_fields",
    "fit_receptive_fields",
    "fit_without_each_fold",
    "grid_positions",
    "group_by_area",
    "identify",
    "is_rest",
    "load_images",
    "load_recording",
    "load_run_images",
    "load_samples",
    "noise_ceiling",
    "permutation_test",
    "polar_coordinates",
    "predict_ridge",
    "recode",
    "reconstruct",
    "regions_of_interest",
    "score_pixels",
    "score_transfer",
    "search_alpha",
    "shift_within_runs",
    "to_image",
    "true_ceiling",
    "true_fields",
    "true_parts",
    "true_time_course",
    "voxel_at",
    "whole_run_folds",
]
