"""A run from its file to clean rows: what is taken out of the responses is taken out of the features too."""

import nibabel
import numpy as np
from nilearn import masking, signal
from nilearn.image import smooth_img

from ..errors import RecordingError
from .reading import open_image, read_surface, read_voxels


def read_run(run, mask_img, smoothing):
    """Features and responses of a run in matching rows, without what is taken out of both."""
    clean = dict(sample_mask=run.kept, confounds=run.confounds)
    changes = read_changes(run.path, mask_img, run.source, len(run.design), smoothing, run.kept)
    responses = signal.clean(changes, standardize="zscore_sample", **clean)
    design = run.design[run.kept] if run.confounds is None else signal.clean(run.design, standardize=None, **clean)
    partnered = run.kept >= run.first
    return design[partnered], responses[partnered]


def read_changes(path, mask_img, source=None, n_rows=None, smoothing=None, kept=slice(None)):
    """Changes since the first volume kept, as shares of about the largest value; 0 where float32 tells of none."""
    values = in_range(read_values(path, mask_img, source, n_rows, smoothing))
    values -= values[kept][0]
    # Rounding would otherwise be blown up to a standard deviation of 1.
    values[:, abs(values[kept]).max(axis=0) < np.finfo(np.float32).epsneg] = 0
    return values.astype(np.float32, copy=False)


def in_range(y):
    """Each voxel times a power of 2, which changes no digit, so that no square of a response leaves float32."""
    return np.ldexp(y, -np.frexp(abs(y).max(axis=0))[1])


def read_values(path, mask_img, source=None, n_rows=None, smoothing=None):
    """Values of a run's voxels or vertices, shape (n_volumes, n_voxels); as many volumes as its source has rows."""
    if isinstance(path, tuple):
        return read_surface(path)
    image = open_image(path, mask_img, 4)
    if n_rows not in (None, image.shape[3]):
        raise RecordingError(f"{path}: {image.shape[3]} volumes; expected {n_rows}, the number of rows in {source}.")
    values = read_voxels(image, mask_img)  # or an error: nilearn would smooth over what is not finite
    if not smoothing:
        return values
    # On the mask's own affine, to the last digit, and without axes of length 1: nilearn takes no others.
    volumes = image.get_fdata(caching="unchanged", dtype=np.float32).reshape(image.shape[:4])
    return masking.apply_mask(smooth_img(nibabel.Nifti1Image(volumes, mask_img.affine), smoothing), mask_img)
