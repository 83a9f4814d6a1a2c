"""A lag to drag: what was on the screen slides over what a voxel did, until the two agree."""

import numpy as np
from nilearn.glm.first_level import glover_hrf

from ..data.samples import Samples, check_whole, correlate_with_screen, is_rest
from ..plotting.samples import plot_shifts
from .fragment import build_fragment, mark, pack_decimals

MAX_LAG = 8  # further where the book's lies further: volumes may be fast
N_VOLUMES = 72  # of the first run: more would be too fine to see
HRF_SECONDS = 24
ALT = (
    "The response of voxel A over the first run, grey bands where there was a stimulus, and beside it the correlation "
    "of the two against the lag."
)


def slide_lag(samples, marked, lag=2, t_r=2.0):
    """Let the reader drag the stimuli over the course of a voxel, and see how well the two agree.

    What slides is whether there was a stimulus on the screen; beside its correlation with the responses, so many
    volumes later, stands nilearn's Glover haemodynamic response.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``.
    marked : sequence of int
        Columns of up to four voxels, which get the letters and colours of the book's figures.
    lag, t_r : int, float
        The book's lag, in volumes (a ValueError if runs are too short for it), and seconds from volume to volume.

    Returns
    -------
    Fragment
    """
    voxels, shortest = mark(marked, samples.responses.shape[1]), min(map(len, samples.run_rows))
    check_whole("lag", lag, most=shortest - 2, why=f"the shortest run has {shortest} volumes; ")
    shown = (~is_rest(samples.stimuli)).astype(int)
    few = samples.responses[:, list(marked)].astype(float)
    r = correlate_with_screen(Samples.from_arrays(shown[:, np.newaxis], few, samples.runs), max(MAX_LAG, lag))
    hrf = glover_hrf(1.0, oversampling=10, time_length=HRF_SECONDS)
    data = {
        "voxels": voxels,
        "runs": [len(rows) for rows in samples.run_rows],
        "shown": "".join(map(str, shown)),
        "responses": pack_decimals(few.T),
        "volumes": min(N_VOLUMES, len(samples.run_rows[0])),
        "lags": len(r) - 1,
        "book": int(lag),
        "seconds": t_r,
        "hrf": np.round(hrf / hrf.max(), 3).tolist(),
    }
    seen = slice(0, data["volumes"])
    return build_fragment("lag", data, plot_shifts(few[seen, 0], shown[seen], r[:, 0]), ALT, ["charts"])
