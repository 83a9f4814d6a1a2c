"""Voxelwise encoding models: from the stimulus on the screen to the response of each voxel."""

import inspect

from .brain import choose_voxels, grid_positions, group_by_area, regions_of_interest, unmask, voxel_at
from .data.bids import bids_recording, link_folder
from .data.check import check_folder
from .data.events import design_from_events
from .data.reading import load_stimuli
from .data.recording import Recording, load_recording
from .data.samples import Samples, correlate_with_screen, is_rest, load_run_stimuli, load_samples
from .data.tables import load_patterns, load_pictures
from .decoding.identification import Identification, identify
from .decoding.patches import decode_patches
from .decoding.patterns import PatternModel, best_voxels, fit_patterns, fit_without_each_fold
from .decoding.reconstruction import reconstruct, score_pixels
from .decoding.trials import average_trials, estimate_trials, load_trials
from .errors import RecordingError
from .features import CODINGS, gabor_energy, local_contrast, luminance, recode, stack_features, with_delays, with_hrf
from .group import group_maps, simulated_subjects
from .inference.ceiling import NoiseCeiling, find_repeats, find_trials, noise_ceiling
from .inference.held_out import learning_curve, score_transfer
from .inference.partition import VariancePartition, partition_variance
from .inference.permutation import PermutationTest, permutation_test, shift_within_runs
from .models.estimators import BandedRidgeCV, VoxelwiseRidge, VoxelwiseRidgeCV
from .models.folds import RunKFold
from .models.prf import cross_validate_prf, field_weights, fit_prf, polar_coordinates
from .models.receptive_fields import fit_receptive_fields
from .models.ridge import cross_validate_ridge, mean_correlation, predict_ridge
from .models.search import AlphaSearch, search_alpha
from .results import load_results, write_derivatives, write_results
from .simulation.cortex import true_fields
from .simulation.truth import true_ceiling, true_parts, true_time_course

#: All that is imported above.
__all__ = [name for name, value in vars().items() if not (name.startswith("_") or inspect.ismodule(value))]
