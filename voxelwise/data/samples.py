"""From files to two aligned matrices: what was on the screen, and how each voxel answered."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from numbers import Integral, Real

import joblib
import nibabel
import numpy as np
import pandas as pd

from ..errors import RecordingError
from .cleaning import read_run
from .reading import load_stimuli, read_t_r
from .runs import Run, event_runs, prepare_run, report_runs


@dataclass(frozen=True)
class Samples:
    """Stimuli and the responses to them, one row for each pair; it pickles, and reads no file again.

    Attributes
    ----------
    stimuli : ndarray of float32, shape (n_samples, n_pixels)
        The features X: the screen row by row, -1 at rest; or what :func:`design_from_events` made of events.
    responses : ndarray of float32, shape (n_samples, n_voxels)
        The responses Y, detrended and z-scored within each run; 0 throughout a run in which a voxel never changes.
    runs : ndarray of int, shape (n_samples,)
        Number of the run, from 0.
    stimulus_shape : tuple of int
        ``stimuli.reshape(-1, *stimulus_shape)`` are as they were seen.
    mask_img : Nifti1Image or None
        In memory; its non-zero voxels, in C order, are the columns of ``responses``. None where they have no place.
    features : dict of str -> ndarray of int, or None
        Columns of ``stimuli`` that each named feature space has; None for one space without a name.
    report : DataFrame or None
        What became of each run, a row each: ``volumes`` and how many were ``dropped``; ``events`` and how many have
        ``shown`` something; how many ``confounds`` were taken out; ``voxels``, how many more of the run's own mask are
        ``lost``, as other masks lack them, and how many are ``dead``: they never change in it.
    """

    stimuli: np.ndarray
    responses: np.ndarray
    runs: np.ndarray
    stimulus_shape: tuple
    mask_img: nibabel.Nifti1Image | None = None
    features: dict | None = None
    report: pd.DataFrame | None = None

    @classmethod
    def from_arrays(cls, X, Y, runs, features=None, stimulus_shape=None, mask_img=None):
        """Samples of matrices that were made elsewhere; a ValueError if they do not fit.

        Parameters
        ----------
        X, Y : array_like, shape (n_samples, n_features) and (n_samples, n_voxels)
            Finite numbers.
        runs : array_like, shape (n_samples,)
            The run of each sample, any labels; rows of a run stand together.
        features : dict of str -> int, optional
            How many columns of ``X`` each feature space has, side by side, such as ``{"luminance": 64, "gabor": 128}``.
        stimulus_shape : tuple of int, optional
            How a row of ``X`` is laid out on the screen. Default: ``(n_features,)``.
        mask_img : Nifti1Image, optional
            Where the columns of ``Y`` lie.
        """
        X, Y = _as_matrix("X", X), _as_matrix("Y", Y)
        runs, _ = pd.factorize(np.ravel(runs), use_na_sentinel=False)  # numbers in the order of their first rows
        if not len(X) == len(Y) == len(runs):
            raise ValueError(f"X has {len(X)} rows, Y {len(Y)} and runs {len(runs)}; expected as many of each.")
        if (np.diff(runs) < 0).any():
            raise ValueError("runs: the rows of a run do not stand together; sort X, Y and runs by run first.")
        shape = (X.shape[1],) if stimulus_shape is None else tuple(stimulus_shape)
        if np.prod(shape) != X.shape[1]:
            raise ValueError(f"stimulus_shape={shape} has {np.prod(shape)} values; X has {X.shape[1]} columns.")
        if features is not None and (min(features.values(), default=0) < 1 or sum(features.values()) != X.shape[1]):
            raise ValueError(f"features={features}: expected columns of each that add up to the {X.shape[1]} of X.")
        if mask_img is not None and np.count_nonzero(mask_img.dataobj) != Y.shape[1]:
            raise ValueError(f"mask_img has {np.count_nonzero(mask_img.dataobj)} voxels; Y has {Y.shape[1]} columns.")
        return cls(X, Y, runs, shape, mask_img, None if features is None else columns_of(features))

    @property
    def run_rows(self):
        """Rows of each run, a list of ndarray of int."""
        return [np.flatnonzero(self.runs == run) for run in np.unique(self.runs)]

    @property
    def dead_runs(self):
        """In how many runs each voxel never changes, an ndarray of int of shape (n_voxels,)."""
        return np.sum([~self.responses[rows].any(axis=0) for rows in self.run_rows], axis=0)

    def take(self, rows=slice(None), voxels=None):
        """Samples of some of the rows, or of the voxels.

        Parameters
        ----------
        rows : slice, or ndarray of int or bool, optional
        voxels : ndarray of int or bool, optional
            Columns of ``responses``, rising, else a ValueError, as the mask is left with these in its order.
        """
        chosen = replace(self, stimuli=self.stimuli[rows], responses=self.responses[rows], runs=self.runs[rows])
        if voxels is None:
            return chosen
        columns = np.arange(self.responses.shape[1])[np.asarray(voxels)]
        if columns.ndim != 1 or (np.diff(columns) <= 0).any():
            raise ValueError(f"voxels: expected rising columns; got {columns}.")
        mask_img = self.mask_img
        if mask_img is not None:
            inside = np.zeros(mask_img.shape, np.uint8)
            inside[tuple(np.argwhere(np.asarray(mask_img.dataobj))[columns].T)] = 1
            mask_img = nibabel.Nifti1Image(inside, mask_img.affine)
        return replace(chosen, responses=chosen.responses[:, columns], mask_img=mask_img)


def load_samples(
    recording,
    kind="random",
    lag=2,
    n_jobs=None,
    features=None,
    hrf="glover",
    confounds=(),
    drop_volumes=0,
    high_pass=None,
    smoothing=None,
):
    """Samples of one kind of runs: each volume is aligned with what it answers to.

    Where a recording has labels, that is the stimulus ``lag`` volumes before; where it has events, what
    :func:`design_from_events` makes of them. Each voxel is detrended and z-scored within its run. What else is taken
    out of the responses, by nilearn's ``signal.clean``, is taken out of the features too; they are no pictures then.

    Parameters
    ----------
    recording : Recording
    kind : str
        Which runs, one of the keys of ``recording.func``.
    lag : int
        For labels, how many volumes (TRs) after the stimulus the response comes; each run loses as many at its start.
    n_jobs : int, optional
        How many runs are read at a time, as in joblib. Default: one for each core.
    features, hrf
        For events, as in :func:`design_from_events`; a dict of features names several spaces. Columns that are pairs of
        row and column, as :func:`load_pictures` makes them, tell the shape of the stimuli.
    confounds : sequence of str, or dict
        What to take out of what fMRIPrep measured, such as ``("motion", "wm_csf", "high_pass")``: the ``strategy`` of
        nilearn's ``load_confounds``, or a dict of its arguments, such as ``{"strategy": ("motion",), "motion":
        "basic"}``.
    drop_volumes : int or "non_steady_state"
        How many volumes to leave out at the start of each run; or those that fMRIPrep found before the scanner was
        steady. Those that "scrub" among the confounds finds go too.
    high_pass : float, optional
        In hertz; slower changes are taken out, as cosines.
    smoothing : float, optional
        Full width at half maximum in mm of a Gaussian by which volumes are smoothed before they are masked.

    Raises
    ------
    RecordingError, ValueError
        If there are no runs of this kind, stimuli differ in shape, labels and volumes do not match, an event cannot be
        counted, confounds are missing or too many, a file cannot be read whole; if the lag leaves less than two samples
        of a run, or an argument is not for this recording. All but the volumes is checked before any is read.
    """
    for name, value in dict(high_pass=high_pass, smoothing=smoothing).items():
        if not (value is None or (isinstance(value, Real) and 0 < value < math.inf)):
            raise ValueError(f"{name}={value!r}: expected a number above 0, or None.")
    runs, widths, shape = find_runs(recording, kind, lag, features, hrf, confounds, drop_volumes, high_pass)
    mask_img = recording.read_mask()
    if smoothing and mask_img is None:
        raise ValueError(f"smoothing={smoothing!r}: surfaces are not smoothed here; expected None.")
    read = spread((joblib.delayed(read_run)(run, mask_img, smoothing) for run in runs), n_jobs)
    designs, responses = zip(*read, strict=True)
    return join_runs(recording, kind, runs, designs, responses, widths, shape, mask_img)


def join_runs(recording, kind, runs, stimuli, responses, widths, shape, mask_img):
    """Samples of the stimuli and responses of runs, as :func:`find_runs` finds them, with a report of each."""
    numbers = np.repeat(np.arange(len(runs)), list(map(len, stimuli)))
    stimuli, Y = np.concatenate(stimuli), np.concatenate(responses)
    report = report_runs(runs, responses, recording.masks and recording.masks[kind])
    return replace(Samples.from_arrays(stimuli, Y, numbers, widths, shape, mask_img), report=report)


def load_run_stimuli(recording, kind="random", lag=0):
    """The stimuli of all runs of one kind, a list of ndarray of float32, shape (n_volumes, n_rows, n_columns).

    Parameters and errors are those of :func:`load_samples`; the lag has to fit each run.
    """
    _check_kind(recording, kind)
    if recording.events is not None:
        raise RecordingError(f'Recording "{recording.name}" has events, and no label a volume; use load_samples.')
    labels = recording.label[kind]
    seen = [load_stimuli(path, recording.stimulus_shape) for path in labels]
    for path, frames in zip(labels, seen, strict=True):
        if frames.shape[1:] != seen[0].shape[1:]:
            raise RecordingError(f"{path}: images of {frames.shape[1:]} pixels; others have {seen[0].shape[1:]}.")
        check_whole("lag", lag, most=len(frames) - 2, why=f"{path.name} has {len(frames)} volumes; ")
    return seen


def check_whole(name, value, least=0, most=math.inf, why=""):
    """Raise a ValueError unless an argument is a whole number in a range; ``why`` is said before what was expected."""
    if not (isinstance(value, Integral) and least <= value <= most):
        wanted = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
        raise ValueError(f"{name}={value!r}: {why}expected a whole number {wanted}.")


def spread(calls, n_jobs=None):
    """Results of joblib's delayed calls: of threads on all cores, unless joblib is told otherwise, here or around."""
    backend, _ = joblib.parallel.get_active_backend(prefer="threads")
    _, configured = joblib.parallel.get_active_backend()  # which says 1, with a preference, where nothing is set
    n_jobs = next(number for number in (n_jobs, configured, -1) if number is not None)
    if not isinstance(backend, joblib.parallel.ThreadingBackend):
        return joblib.Parallel(n_jobs=n_jobs)(calls)
    with ThreadPoolExecutor(backend.effective_n_jobs(n_jobs)) as pool:  # joblib looks for what is done every 10 ms only
        return list(pool.map(lambda call: call[0](*call[1], **call[2]), calls))


def check_finite(**matrices):
    """Raise a ValueError that names the first number that is not finite, by matrix, row and column."""
    for name, values in matrices.items():
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(values.sum()):  # in a fraction of the time and memory
                continue
        for row, column in np.argwhere(~np.isfinite(values)):
            raise ValueError(f"{name}: row {row}, column {column} is {values[row, column]}; expected finite numbers.")


def columns_of(features):
    """The columns of feature spaces that stand side by side, a dict of ndarray, from how many each has."""
    ends = np.cumsum(list(features.values()))
    return {name: np.arange(end - n, end) for (name, n), end in zip(features.items(), ends, strict=True)}


def is_rest(stimuli):
    """Which stimuli, of shape (n_volumes, ...), are none, -1 throughout; ndarray of bool, shape (n_volumes,)."""
    return (stimuli == -1).reshape(len(stimuli), -1).all(axis=1)


def correlate_with_screen(samples, max_lag=5):
    """Correlation of each voxel with the mean label on the screen, for a range of lags.

    Parameters
    ----------
    samples : Samples
        Loaded with ``lag=0``.
    max_lag : int
        In volumes, from 0; less where the shortest run does not allow it.

    Returns
    -------
    correlations : ndarray, shape (n_lags, n_voxels)
        Pearson's r between the screen and the response so many volumes later in a run; 0 where one never changes.
    """
    check_whole("max_lag", max_lag)
    screen, run_rows = samples.stimuli.mean(axis=1, dtype=np.float64), samples.run_rows
    n_lags = min(max_lag + 1, min(map(len, run_rows)) - 1)
    correlations = np.zeros((n_lags, samples.responses.shape[1]))
    for lag in range(n_lags):
        rows = np.concatenate([rows[: len(rows) - lag] for rows in run_rows])
        early, late = screen[rows] - screen[rows].mean(), samples.responses[rows + lag]
        spread = np.linalg.norm(early) * np.sqrt(len(rows)) * late.std(axis=0)
        np.divide(early @ late, spread, out=correlations[lag], where=spread > 0)
    return correlations


def find_runs(recording, kind, lag, features, hrf, confounds, drop_volumes, high_pass=None):
    """The runs to read; how many columns each named feature space has, or None; and the shape of a row."""
    _check_kind(recording, kind)
    labelled = recording.events is None
    if isinstance(confounds, str):
        raise ValueError(f"confounds={confounds!r}: expected several names, such as ({confounds!r},).")
    if drop_volumes != "non_steady_state":
        check_whole("drop_volumes", drop_volumes)
    if labelled and (features is not None or confounds or drop_volumes == "non_steady_state"):
        raise ValueError("features, confounds, drop_volumes='non_steady_state': for a recording with events only.")
    runs, *others = _label_runs(recording, kind, lag) if labelled else event_runs(recording, kind, features, hrf)
    return [prepare_run(run, confounds, drop_volumes, high_pass) for run in runs], *others


def _label_runs(recording, kind, lag):
    """Runs with a row of labels a volume, each row beside the volume ``lag`` later; None; the shape of a stimulus."""
    seen, runs = load_run_stimuli(recording, kind, lag), []
    for path, label, frames in zip(recording.func[kind], recording.label[kind], seen, strict=True):
        rows = frames.reshape(len(frames), -1)
        # Nothing tells what came before the first volume; the rows that stand in for it are left out in the end.
        late = np.concatenate([rows[:1]] * lag + [rows[: len(rows) - lag]])
        runs.append(Run(path, label, late, read_t_r(path), first=lag))
    return runs, None, seen[0].shape[1:]


def _check_kind(recording, kind):
    """Raise a RecordingError unless there are runs of a kind."""
    if kind not in recording.func:
        kinds = ", ".join(f'"{name}"' for name in recording.func)
        raise RecordingError(f'Recording "{recording.name}" has no runs of kind "{kind}"; it has {kinds}.')


def _as_matrix(name, values):
    """Values as a matrix of finite float32."""
    values = np.asarray(values, np.float32)
    if values.ndim != 2:
        raise ValueError(f"{name} has {values.ndim} dimensions {values.shape}; expected a matrix, a row a sample.")
    check_finite(**{name: values})
    return values
