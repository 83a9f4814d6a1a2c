"""Images rewritten for a purpose, and what scores are held against: scikit-learn in a plain loop over splits."""

import warnings

import nibabel
import numpy as np
from sklearn.metrics import r2_score


def rewrite(path, change=lambda values: values, affine=None, stored=np.float32):
    """Put an image with changed values, or elsewhere, in the place of another."""
    image = nibabel.load(path)
    values = change(image.get_fdata(dtype=np.float32).copy())
    nibabel.Nifti1Image(values, image.affine if affine is None else affine, dtype=stored).to_filename(path)


def plain_loop(samples, model, cv):
    """Scores and predictions of a scikit-learn model, in float64."""
    x, y = samples.stimuli.astype(float), samples.responses.astype(float)
    scores, predictions = [], np.full(y.shape, np.nan)
    with warnings.catch_warnings(action="ignore"):  # of splitters that take no notice of groups
        splits = cv if isinstance(cv, list) else list(cv.split(x, groups=samples.runs))
    for train, test in splits:
        predictions[test] = model.fit(x[train], y[train]).predict(x[test])
        scores.append(r2_score(y[test], predictions[test], multioutput="raw_values"))
    return np.array(scores), predictions
