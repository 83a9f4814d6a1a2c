"""Images rewritten for a purpose, and what scores are held against: scikit-learn in a plain loop over the folds."""

import nibabel
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score


def rewrite(path, change=lambda values: values, affine=None, stored=np.float32):
    """Put an image with changed values, or elsewhere, in the place of another."""
    image = nibabel.load(path)
    values = change(image.get_fdata(dtype=np.float32).copy())
    nibabel.Nifti1Image(values, image.affine if affine is None else affine, dtype=stored).to_filename(path)


def run_folds(runs, n_folds):
    """Rows of each fold of whole, consecutive runs."""
    return [np.flatnonzero(np.isin(runs, some)) for some in np.array_split(np.unique(runs), n_folds)]


def predict_folds(x, y, folds, alpha):
    """Each row of ``y`` as a ridge regression on the other folds predicts it."""
    predictions = np.empty(y.shape)
    for rows in folds:
        train = np.setdiff1d(np.arange(len(x)), rows)
        predictions[rows] = Ridge(alpha).fit(x[train].astype(float), y[train].astype(float)).predict(x[rows])
    return predictions


def score_folds(x, y, folds, alpha):
    """R2 of each fold and voxel."""
    predictions = predict_folds(x, y, folds, alpha)
    return np.array([r2_score(y[rows], predictions[rows], multioutput="raw_values") for rows in folds])
