"""The published analysis, under today's libraries, finds on this recording what the book finds."""

import numpy as np
from sklearn.utils import Bunch

from tools.bench import published
from voxelwise import cross_validate_ridge, fit_receptive_fields


def test_same_matrices_scores_and_fields(recording, samples, monkeypatch):
    """On five runs of the twenty, to take less long."""
    fetch = published.fetch_miyawaki2008

    def fetch_some(**options):
        dataset = fetch(**options)
        return Bunch(mask=dataset.mask, func=dataset.func[:17], label=dataset.label[:17])

    monkeypatch.setattr(published, "fetch_miyawaki2008", fetch_some)
    stimuli, responses = published.load(recording.mask.parents[2])
    samples = samples.take(rows=samples.runs < 5)
    np.testing.assert_array_equal(samples.stimuli, stimuli)
    np.testing.assert_allclose(samples.responses, responses, atol=1e-4)
    expected = published.score(stimuli, responses, n_splits=5)
    np.testing.assert_allclose(cross_validate_ridge(samples, 100.0, 5), expected, atol=1e-4)
    fields = published.fields(stimuli, responses)
    np.testing.assert_allclose(fit_receptive_fields(samples, published.COLUMNS), fields, atol=1e-4)
