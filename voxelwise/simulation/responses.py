"""How a simulated voxel answers to the stimuli on the screen, and the noise that this comes with.

The white pixels of each stimulus, weighted by the voxel's receptive field, plus a reaction to any stimulus being on the
screen; both through the canonical haemodynamic response; times a gain; plus slow drift and autocorrelated noise.
"""

import numpy as np
from scipy.signal import lfilter

from .cortex import AREAS, MARKED_COLUMNS, STIMULUS_SHAPE

TR = 2.0  # seconds
REST = -1
NOISE_SD = 10.0  # units of the stored integers
AUTOCORRELATION = 0.35  # of the noise, from one volume to the next

#: R2 of the published pipeline is, in this experiment, a straight line over the share of the signal in the variance.
#: The two numbers were measured on it; a test holds the histogram that follows from them.
_R2_OF_NOISE, _R2_PER_SHARE = -0.036, 0.768
#: How many voxels reach which R2 in the published map: counts per bin of 0.06, from 0.06 up.
PUBLISHED_COUNTS = (430, 240, 200, 145, 100, 70, 70, 35, 15)
#: Reaction to any stimulus (relative to a field full of white) and R2 of the marked voxels.
MARKED_ON_RESPONSE = (2.0, 2.6, 1.6, 1.5)
MARKED_R2 = (0.595, 0.605, 0.55, 0.54)


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


def set_gains(voxels, fields, random_runs, rng):
    """Add to the table how strongly each voxel answers.

    The share of a voxel's variance that is signal is set such that the published pipeline finds the published histogram
    of R2: foveal voxels of early areas tend to come first, voxels whose field lies off the screen answer nothing.
    """
    rows, columns = STIMULUS_SHAPE
    on_screen = voxels["row"].between(-0.5, rows - 0.5) & voxels["column"].between(-0.5, columns - 0.5)
    seen = (on_screen & (voxels["area"] != "")).to_numpy()
    ring = voxels["area"].map({area: number // 2 for number, area in enumerate(AREAS)})
    favour = rng.normal(0, 0.8, len(voxels)) - 0.5 * ring - 0.1 * voxels["band"]
    on_response = rng.uniform(0.8, 2.2, len(voxels))

    r2 = np.full(len(voxels), _R2_OF_NOISE)
    n_faint = seen.sum() - sum(PUBLISHED_COUNTS)
    edges = [_R2_OF_NOISE, *np.linspace(0.06, 0.54, 9), 0.595]
    r2[seen] = np.interp(favour[seen].rank() - 0.5, np.cumsum([0, n_faint, *PUBLISHED_COUNTS]), edges)
    r2[list(MARKED_COLUMNS)], on_response[list(MARKED_COLUMNS)] = MARKED_R2, MARKED_ON_RESPONSE
    share = (r2 - _R2_OF_NOISE) / _R2_PER_SHARE

    voxels = voxels.assign(on_response=on_response, share=share)
    drive = np.concatenate([drive_voxels(frames, voxels, fields) for frames in random_runs])
    signal_sd = NOISE_SD * np.sqrt(share / (1 - share))
    gain = np.divide(signal_sd, drive.std(axis=0), out=np.zeros_like(share), where=share > 0)
    return voxels.assign(gain=gain)
