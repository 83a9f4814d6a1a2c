"""The published analysis, under today's libraries, finds on this recording what the book finds."""

import numpy as np

from tools.bench import published
from voxelwise import cross_validate_ridge, fit_receptive_fields


def test_same_matrices_scores_and_fields(recording, samples, monkeypatch):
    """Of four runs, of some voxels; and fields as strong as the published ones, with their strongest pixels there."""
    dataset = published.fetch_miyawaki2008(data_dir=recording.mask.parents[2], verbose=0)
    dataset.func, dataset.label = dataset.func[:16], dataset.label[:16]
    monkeypatch.setattr(published, "fetch_miyawaki2008", lambda **_: dataset)
    stimuli, responses = published.load(None)
    np.testing.assert_array_equal(samples.stimuli[samples.runs < 4], stimuli)
    np.testing.assert_allclose(samples.responses[samples.runs < 4], responses, atol=1e-4)
    some = samples.take(voxels=range(0, 5438, 10))
    expected = published.score(some.stimuli.astype(float), some.responses.astype(float))
    np.testing.assert_allclose(cross_validate_ridge(some), expected, atol=1e-7)
    fields = fit_receptive_fields(samples, published.COLUMNS)
    np.testing.assert_allclose(fields, published.fields(samples.stimuli, samples.responses), atol=1e-4)
    assert [np.unravel_index(field.argmax(), field.shape) for field in fields] == [(4, 2), (4, 2), (3, 3), (4, 2)]
    np.testing.assert_allclose(fields.max(axis=(1, 2)), [0.62, 0.30, 0.42, 0.42], atol=0.15)
