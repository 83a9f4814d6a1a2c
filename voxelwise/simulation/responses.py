"""How a simulated voxel answers to the images on the screen, and the noise that this comes with.

The white pixels of each image, weighted by the voxel's receptive field, plus a reaction to any image being on the screen;
both through the canonical haemodynamic response; times a gain; plus slow drift and autocorrelated noise.
"""

import numpy as np
from scipy.signal import lfilter

TR = 2.0  # seconds
REST = -1
NOISE_SD = 10.0  # units of the stored integers
AUTOCORRELATION = 0.35  # of the noise, from one volume to the next


def drive_voxels(frames, voxels, fields):
    """Each voxel's answer before gain and noise, shape (n_volumes, n_voxels)."""
    from nilearn.glm.first_level import spm_hrf  # takes a tenth of the package's import; only a new recording needs it

    white = (frames == 1).reshape(len(frames), -1) @ fields.T
    shown = (frames != REST).any(axis=(1, 2))
    on = shown[:, np.newaxis] * (voxels["on_response"].to_numpy() * fields.sum(axis=1))
    # The response to one volume of stimulation, its integral over each following volume.
    haemodynamic = spm_hrf(TR, oversampling=20).reshape(-1, 20).sum(axis=1)
    return lfilter(haemodynamic / haemodynamic.sum(), [1.0], white + on, axis=0)


def draw_noise(n_volumes, n_voxels, rng):
    """Unit-variance autocorrelated noise on slow drift, shape (n_volumes, n_voxels)."""
    innovations = rng.standard_normal((n_volumes, n_voxels))
    innovations[1:] *= np.sqrt(1 - AUTOCORRELATION**2)
    noise = lfilter([1.0], [1.0, -AUTOCORRELATION], innovations, axis=0)
    time = np.linspace(0, np.pi, n_volumes)
    slow = np.stack([time - np.pi / 2, np.cos(1.5 * time), np.cos(2 * time)])
    return noise + slow.T @ rng.normal(0, [[0.5], [0.25], [0.25]], (len(slow), n_voxels))
