"""The published analysis, under today's libraries, finds on this recording what the book finds."""

import numpy as np

from tools.bench import published
from voxelwise import cross_validate_ridge, fit_receptive_fields


def test_same_matrices_scores_and_fields(recording, samples):
    """And fields as strong as the published ones, with their strongest pixels in the same places."""
    stimuli, responses = published.load(recording.mask.parents[2])
    np.testing.assert_array_equal(samples.stimuli, stimuli)
    np.testing.assert_allclose(samples.responses, responses, atol=1e-4)
    np.testing.assert_allclose(cross_validate_ridge(samples), published.score(stimuli, responses), atol=1e-4)
    fields = fit_receptive_fields(samples, published.COLUMNS)
    np.testing.assert_allclose(fields, published.fields(stimuli, responses), atol=1e-4)
    assert [np.unravel_index(field.argmax(), field.shape) for field in fields] == [(4, 2), (4, 2), (3, 3), (4, 2)]
    np.testing.assert_allclose(fields.max(axis=(1, 2)), [0.62, 0.30, 0.42, 0.42], atol=0.15)
