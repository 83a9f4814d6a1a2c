"""How a simulated voxel responds to what is on the screen, and the noise that this comes with.

A voxel adds up the white pixels, weighted by its receptive field and, compressed, by a broad surround. Both go through
its own haemodynamic response, times a gain. To this come slow drift and autocorrelated noise, partly shared.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter1d
from scipy.signal import lfilter
from scipy.stats import gamma, zscore

from .cortex import AREAS, MARKED_COLUMNS, STIMULUS_SHAPE, gaussian_weights

TR = 2.0  # seconds
REST = -1
NOISE_SD = 10.0  # units of the stored integers
AUTOCORRELATION = 0.35  # of the noise, from one volume to the next
RUN_GAIN_SD = 0.05  # of a run's gain, which is 1 on average

SURROUND_SIZE = 2.5  # pixels, standard deviation
SURROUND_EXPONENT = 0.5
TIME_TO_PEAK = 4.5, 0.8  # seconds after a flash: mean and standard deviation over voxels

#: The noise that voxels share, everywhere or in near and in mirrored places; set to correlations measured in V1.
N_SHARED = 16
GLOBAL_NOISE, LOCAL_NOISE = 0.68, 1.35  # standard deviation, where the noise of a voxel alone has 1
SMOOTHNESS = 3.0  # voxels, standard deviation of the Gaussian that makes noise and gains alike in near places

#: The published pipeline's R2 is a line over the signal's share of the variance, the flatter the later a voxel
#: responds; measured in this experiment. A test holds the histogram that follows.
_R2_OF_NOISE, _R2_PER_SHARE, _R2_PER_SECOND = -0.036, 0.70, -0.2
PUBLISHED_COUNTS = (430, 240, 200, 145, 100, 70, 70, 35, 15)  # voxels by R2 in the published map, in bins from 0.06 up
#: Strength of the surround (relative to a field full of white) and R2 of the marked voxels.
MARKED_SURROUND, MARKED_R2 = (3.0, 4.0, 2.5, 2.2), (0.55, 0.555, 0.51, 0.50)


def drive_voxels(frames, voxels):
    """Response before gain and noise to the whole screen, (n_volumes, 12, 12); shape (n_volumes, n_voxels)."""
    white = (frames == 1).reshape(len(frames), -1).astype(float)
    centre = frames.shape[1:], voxels["row"], voxels["column"]
    surround = (white @ gaussian_weights(*centre, SURROUND_SIZE).T) ** SURROUND_EXPONENT
    neural = white @ gaussian_weights(*centre, voxels["size"]).T + voxels["surround"].to_numpy() * surround
    drive = np.zeros_like(neural)
    for lag, weight in enumerate(haemodynamic_response(voxels["time_to_peak"].to_numpy())):
        drive[lag:] += weight * neural[: len(neural) - lag]
    return drive


def haemodynamic_response(time_to_peak, n_lags=16):
    """Shares of the response to one volume in it and in the next ones, by two gammas as in SPM; (n_lags, n_voxels)."""
    per_volume = 5
    times = (np.arange(n_lags * per_volume)[:, np.newaxis] + 0.5) * TR / per_volume
    course = gamma.pdf(times, time_to_peak + 1) - gamma.pdf(times, 16) / 6
    course = uniform_filter1d(course, per_volume, axis=0, mode="constant", origin=(per_volume - 1) // 2)
    course = course.reshape(n_lags, per_volume, -1).mean(axis=1)
    return course / course.sum(axis=0)


def smooth_fields(mask, n_fields, rng, mirrored=False):
    """Random z-scores that are alike in near voxels, or also in mirrored ones, shape (n_fields, n_voxels)."""
    fields = gaussian_filter(rng.standard_normal((n_fields, *mask.shape)), SMOOTHNESS, axes=(1, 2, 3))
    return zscore((fields + fields[:, ::-1] if mirrored else fields)[:, mask], axis=1)


def share_noise(mask, rng):
    """How strongly each voxel takes part in each of the noises that voxels share, shape (n_shared, n_voxels)."""
    everywhere = GLOBAL_NOISE * rng.normal(1, 1, (1, mask.sum()))
    near = [smooth_fields(mask, N_SHARED // 2, rng, mirrored) for mirrored in (False, True)]
    shared = np.concatenate([everywhere, LOCAL_NOISE / np.sqrt(N_SHARED) * np.concatenate(near)])
    return shared / np.sqrt(1 + (shared**2).sum(axis=0))


def draw_noise(n_volumes, shares, rng):
    """Unit-variance autocorrelated noise on slow drift, shape (n_volumes, n_voxels); for shares see ``share_noise``."""
    alone = np.sqrt(1 - (shares**2).sum(axis=0))
    innovations = rng.standard_normal((n_volumes, len(shares))) @ shares
    innovations += alone * rng.standard_normal((n_volumes, len(alone)))
    innovations[1:] *= np.sqrt(1 - AUTOCORRELATION**2)
    noise = lfilter([1.0], [1.0, -AUTOCORRELATION], innovations, axis=0)
    time = np.linspace(0, np.pi, n_volumes)
    slow = np.stack([time - np.pi / 2, np.cos(1.5 * time), np.cos(2 * time)])
    return noise + slow.T @ rng.normal(0, [[0.5], [0.25], [0.25]], (len(slow), len(alone)))


def set_gains(voxels, mask, random_runs, rng):
    """Add to the table how each voxel responds: ``surround``, ``time_to_peak``, ``share`` and ``gain``."""
    rows, columns = STIMULUS_SHAPE
    on_screen = voxels["row"].between(-0.5, rows - 0.5) & voxels["column"].between(-0.5, columns - 0.5)
    seen = (on_screen & (voxels["area"] != "")).to_numpy()
    ring = voxels["area"].map({area: number // 2 for number, area in enumerate(AREAS)})
    # Foveal voxels of early areas tend to come first, and neighbours are alike.
    favour = 0.8 * smooth_fields(mask, 1, rng)[0] + rng.normal(0, 0.3, len(voxels)) - 0.5 * ring - 0.1 * voxels["band"]
    surround = rng.uniform(0.3, 1.5, len(voxels))
    time_to_peak = rng.normal(*TIME_TO_PEAK, len(voxels)).clip(2.5, 8)

    r2 = np.full(len(voxels), _R2_OF_NOISE)
    n_faint = seen.sum() - sum(PUBLISHED_COUNTS)
    edges = _R2_OF_NOISE, *np.linspace(0.06, 0.54, 9), 0.59
    r2[seen] = np.interp(favour[seen].rank() - 0.5, np.cumsum([0, n_faint, *PUBLISHED_COUNTS]), edges)
    marked = list(MARKED_COLUMNS)
    r2[marked], surround[marked], time_to_peak[marked] = MARKED_R2, MARKED_SURROUND, 4.0
    per_share = _R2_PER_SHARE + _R2_PER_SECOND * (time_to_peak - TIME_TO_PEAK[0]).clip(max=2)
    share = ((r2 - _R2_OF_NOISE) / per_share).clip(max=0.72)

    voxels = voxels.assign(surround=surround, time_to_peak=time_to_peak, share=share)
    drive = np.concatenate([drive_voxels(frames, voxels) for frames in random_runs])
    signal_sd = NOISE_SD * np.sqrt(share / (1 - share))
    gain = np.divide(signal_sd, drive.std(axis=0), out=np.zeros_like(share), where=share > 0)
    return voxels.assign(gain=gain)
