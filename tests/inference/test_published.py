"""The published analysis, under today's libraries, finds on this recording what the book finds."""

import numpy as np
from tools.bench import published

from voxelwise import cross_validate_ridge, fit_receptive_fields


def test_same_matrices_scores_and_fields(recording, samples):
    stimuli, responses = published.load(recording.mask.parents[2])
    np.testing.assert_array_equal(samples.stimuli, stimuli)
    np.testing.assert_allclose(samples.responses, responses, atol=1e-4)
    np.testing.assert_allclose(cross_validate_ridge(samples), published.score(stimuli, responses), atol=1e-4)
    np.testing.assert_allclose(
        fit_receptive_fields(samples, published.COLUMNS), published.fields(stimuli, responses), atol=1e-4
    )
