"""The published analysis, step for step, to compare results, time and memory with.

Two things had to change: standardization is asked for by its present name, and the pixels are scaled before the lasso,
which has lost its ``normalize`` option.
"""

import numpy as np
from nilearn.datasets import fetch_miyawaki2008
from nilearn.maskers import MultiNiftiMasker
from sklearn.linear_model import LassoLarsCV, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

LAG = 2
COLUMNS = [1780, 1951, 2131, 1935]


def load(data_dir):
    """Stimuli (n_samples, 100) and responses (n_samples, n_voxels) of the random runs."""
    dataset = fetch_miyawaki2008(data_dir=data_dir, verbose=0)
    masker = MultiNiftiMasker(mask_img=dataset.mask, detrend=True, standardize="zscore_sample").fit()
    responses = masker.transform(dataset.func[12:])
    labels = [np.loadtxt(path, dtype=int, delimiter=",") for path in dataset.label[12:]]
    images = [np.reshape(rows, (-1, 10, 10), order="F") for rows in labels]
    stimuli = [frames[:-LAG].reshape(-1, 100) for frames in images]
    return np.vstack(stimuli), np.vstack([run[LAG:] for run in responses])


def score(stimuli, responses, alpha=100.0, n_splits=10):
    """R2 of each fold and voxel."""
    scores = []
    for train, test in KFold(n_splits).split(stimuli):
        predicted = Ridge(alpha).fit(stimuli[train], responses[train]).predict(stimuli[test])
        scores.append(r2_score(responses[test], predicted, multioutput="raw_values"))
    return np.array(scores)


def fields(stimuli, responses):
    """Lasso weights of the voxels in ``COLUMNS`` per unit of pixel, shape (n_voxels, 10, 10)."""
    scaler = StandardScaler().fit(stimuli)
    pixels = scaler.transform(stimuli)
    weights = [LassoLarsCV(max_iter=10).fit(pixels, responses[:, column]).coef_ for column in COLUMNS]
    return (np.array(weights) / scaler.scale_).reshape(-1, 10, 10)
