"""Other ways to turn the screen into columns: other codings and lags, a haemodynamic response, spaces of features."""

import dataclasses
import math

import numpy as np
from nilearn.glm.first_level.hemodynamic_models import compute_regressor
from scipy.ndimage import gaussian_filter
from scipy.signal import lfilter

from .data.events import check_hrf_model
from .data.samples import check_whole, columns_of, is_rest
from .errors import RecordingError

#: What :func:`recode` knows.
CODINGS = ("published", "rest black", "on/off", "on/off and pixels")
#: Rows and columns of the patches whose contrast the published decoder reads.
PATCHES = ((1, 1), (1, 2), (2, 1), (2, 2))
#: Value of the on/off column with a stimulus: so large that its weight is small, and a ridge penalty hardly shrinks it.
ON = 100


def recode(samples, coding):
    """The same responses, with another coding of what was on the screen.

    Each pixel ``x`` has a value while a stimulus is shown; ``u`` is 1 while one is and 0 at rest. The codings are

    - ``"published"``: the pixels as they are loaded, ``x - (1 - u)``, so that ``u`` has the sum of their weights;
    - ``"rest black"``: ``x``, with 0 at rest;
    - ``"on/off"``: one column, ``100 * u``, so large that a ridge penalty hardly shrinks its weight;
    - ``"on/off and pixels"``: both, the on/off column first.

    Parameters
    ----------
    samples : Samples
        Of one lag, as :func:`load_samples` returns them: rest is known by its -1.
    coding : str
        One of ``CODINGS``.

    Returns
    -------
    recoded : Samples
        With other ``stimuli``, float32. With an on/off column these are pictures no longer, and ``stimulus_shape`` is
        ``(n_columns,)``; if there are pixels beside it, both are named ``features``.
    """
    if coding not in CODINGS:
        raise ValueError(f'No coding "{coding}": expected one of {CODINGS}.')
    if coding == "published":
        return samples
    rest = is_rest(samples.stimuli)[:, np.newaxis]
    pixels = np.where(rest, 0, samples.stimuli)
    if coding == "rest black":
        return dataclasses.replace(samples, stimuli=pixels)
    on = np.where(rest, 0, ON).astype(np.float32)
    if coding == "on/off":
        return dataclasses.replace(samples, stimuli=on, stimulus_shape=(1,), features=None)
    return stack_features(samples, {"on/off": on, "pixels": pixels})


def with_delays(samples, delays, max_lag=None):
    """Pair each response with the stimuli that were on the screen some volumes before it.

    With one delay these are the samples that :func:`load_samples` loads with it as ``lag``. With several, the stimuli
    of all delays stand side by side in a row, and a linear model of them is a finite impulse response model (Dale 1999,
    Hum. Brain Mapp. 8, 109-114): each pixel has a weight for each delay.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``.
    delays : sequence of int
        In volumes.
    max_lag : int, optional
        The first ``max_lag`` volumes of each run are left out; at least two of each run remain. Default: the largest
        of the delays. With the same ``max_lag``, scores of different delays are of the same responses.

    Returns
    -------
    shifted : Samples
        ``stimuli`` has the columns of one delay after the other; of several, ``stimulus_shape`` begins with the number.
    """
    run_rows, delays = samples.run_rows, list(delays)
    most, why = min(map(len, run_rows)) - 2, "two volumes of the shortest run remain; "
    for delay in delays:
        check_whole("delays", delay, 0, most, why)
    max_lag = max(delays) if max_lag is None else max_lag
    check_whole("max_lag", max_lag, max(delays), most, f"no delay is larger, and {why}")
    rows = np.concatenate([rows[max_lag:] for rows in run_rows])
    starts = samples.stimuli.shape[1] * np.arange(len(delays))[:, np.newaxis]
    return dataclasses.replace(
        samples.take(rows),
        features=samples.features and {name: (starts + c).ravel() for name, c in samples.features.items()},
        stimuli=np.hstack([samples.stimuli[rows - delay] for delay in delays]),
        stimulus_shape=(len(delays), *samples.stimulus_shape) if len(delays) > 1 else samples.stimulus_shape,
    )


def with_hrf(samples, hrf_model="spm", t_r=2.0, slice_time_ref=0.5):
    """Convolve what was on the screen with a haemodynamic response, in place of a lag.

    A column of features is then what a voxel with this response would do, if it followed the column at once (Friston et
    al. 1998, NeuroImage 7, 30-40). Each stimulus is on for the whole of its volume; rest and what was before are black.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``; also as :func:`recode` returns them.
    hrf_model : {"spm", "glover"} or callable
        A haemodynamic response of nilearn, or one's own, called as ``hrf_model(t_r, oversampling)``.
    t_r : float
        Seconds from volume to volume.
    slice_time_ref : float
        When the values of a volume were measured, from 0 to 1 of its time; fMRIPrep corrects them to the middle.

    Returns
    -------
    convolved : Samples
        With other ``stimuli``, float32, in which no row stands for rest any longer.
    """
    check_hrf_model(hrf_model)
    if not (0 < t_r < math.inf and 0 <= slice_time_ref <= 1):
        raise ValueError(f"t_r={t_r}, slice_time_ref={slice_time_ref}: expected seconds, and a share of them, 0 to 1.")
    run_rows, black = samples.run_rows, recode(samples, "rest black").stimuli
    frame_times = t_r * (np.arange(max(map(len, run_rows))) + slice_time_ref)
    # Stimuli last whole volumes: the response to one of them, volume by volume, loses nothing of nilearn's resolution.
    response, _ = compute_regressor(([0], [t_r], [1]), hrf_model, frame_times)
    stimuli = np.empty(black.shape, np.float32)
    for rows in run_rows:  # each run where it stands, in whatever order
        stimuli[rows] = lfilter(response[:, 0], 1, black[rows], axis=0)
    return dataclasses.replace(samples, stimuli=stimuli)


def stack_features(samples, spaces):
    """The same responses, with feature spaces side by side; ``features`` of these samples name the columns of each.

    Parameters
    ----------
    samples : Samples
    spaces : dict of str -> array_like, shape (n_samples, ...)
        By name, any features of the same moments; each row is laid flat.
    """
    columns = {}
    for name, values in spaces.items():
        if len(values) != len(samples.runs):
            raise ValueError(f'spaces: "{name}" has {len(values)} rows; expected {len(samples.runs)}, one a sample.')
        columns[name] = np.asarray(values, np.float32).reshape(len(values), -1)
    features = columns_of({name: values.shape[1] for name, values in columns.items()})
    stimuli = np.hstack(list(columns.values()))
    return dataclasses.replace(samples, stimuli=stimuli, stimulus_shape=stimuli.shape[1:], features=features)


def luminance(samples):
    """Mean of the pixels of each stimulus: features of float32, shape (n_samples, 1).

    Parameters
    ----------
    samples : Samples
        Whose stimuli are pictures, else it is a :class:`RecordingError`; rest counts as black, 0.
    """
    return pictures_of(samples).mean(axis=(1, 2))[:, np.newaxis]


def local_contrast(samples, patches=PATCHES):
    """Mean contrast of all patches of the screen, at one scale or several.

    A white pixel was a flickering checkerboard in the published experiment, a black one the grey of the screen; so the
    contrast of a patch is the mean of its pixels (Miyawaki et al. 2008, Neuron 60, 915-929). Patches overlap.

    Parameters
    ----------
    samples : Samples
        As in :func:`luminance`.
    patches : sequence of (int, int)
        Rows and columns of a patch. Default: all with sides of 1 or 2 pixels.

    Returns
    -------
    features : ndarray of float32, shape (n_samples, n_patches)
        Patches of the first size, row by row, then those of the second, and so on.
    """
    pictures = pictures_of(samples)
    for patch in patches:
        for size, most in zip(patch, pictures.shape[1:], strict=True):
            check_whole("patches", size, 1, most)
    return np.hstack([patch_means(pictures, patch).reshape(len(pictures), -1) for patch in patches])


def patch_means(pictures, patch):
    """Mean of each patch of so many rows and columns, for pictures of shape (n_samples, n_rows, n_columns)."""
    return np.lib.stride_tricks.sliding_window_view(pictures, patch, axis=(1, 2)).mean(axis=(3, 4))


def gabor_energy(samples, wavelengths=(2, 4), n_orientations=4):
    """Energy of Gabor filters at each pixel: how much of a grating there is, whatever its phase.

    The filters are a cosine and a sine grating under one round Gaussian, an octave wide (its standard deviation is 0.56
    wavelengths), less what they would answer to a uniform screen (Kay et al. 2008, Nature 452, 352-355). The energy is
    the root of the sum of both squared answers, on a screen with a black rim.

    Parameters
    ----------
    samples : Samples
        As in :func:`luminance`.
    wavelengths : sequence of float
        In pixels, at least 2.
    n_orientations : int
        Evenly spaced over half a turn, the first a grating that changes from column to column.

    Returns
    -------
    features : ndarray of float32, shape (n_samples, n_wavelengths * n_orientations * n_pixels)
        All pixels of the first wavelength and orientation, then of the next orientation, and so on.
    """
    check_whole("n_orientations", n_orientations, 1)
    if not len(wavelengths) or not all(2 <= each < math.inf for each in wavelengths):
        raise ValueError(f"wavelengths={wavelengths}: expected pixels from crest to crest, at least 2 each.")
    pictures, energies = pictures_of(samples), []
    y, x = np.indices(samples.stimulus_shape)
    for wavelength in wavelengths:
        sd = 3 * math.sqrt(math.log(2) / 2) / math.pi * wavelength
        # What is left of a grating under the Gaussian, by Fourier: the answer to a uniform screen.
        uniform = math.exp(-2 * (math.pi * sd / wavelength) ** 2)
        blurred = _blur(pictures, sd)
        for angle in np.pi * np.arange(n_orientations) / n_orientations:
            grating = np.exp(2j * np.pi / wavelength * (x * np.cos(angle) + y * np.sin(angle)))
            # A filter is a blur of pictures whose grating has been made uniform.
            energies.append(abs(_blur(pictures / grating, sd) - uniform * blurred / grating))
    return np.hstack([energy.reshape(len(pictures), -1) for energy in energies]).astype(np.float32)


def _blur(pictures, sd):
    return gaussian_filter(pictures, (0, sd, sd), mode="constant", truncate=5)


def pictures_of(samples):
    """Stimuli as they were on the screen, shape (n_samples, n_rows, n_columns); rest is black."""
    if len(samples.stimulus_shape) != 2:
        raise RecordingError(f"stimulus_shape={samples.stimulus_shape}: expected rows and columns of pictures.")
    return recode(samples, "rest black").stimuli.reshape(-1, *samples.stimulus_shape)
