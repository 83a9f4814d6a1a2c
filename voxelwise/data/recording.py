"""Where a recording lies: the simulated one, the real one, or a folder of the reader's own, all in one layout."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import RecordingError
from ..simulation.writing import simulated_recording
from .download import fetch_recording
from .files import open_image, read_mask

#: Names of the recordings that need no folder.
DATASETS = ("simulated", "miyawaki2008")


@dataclass(frozen=True)
class Recording:
    """The files of one recording.

    Attributes
    ----------
    name : str
        ``"simulated"``, ``"miyawaki2008"`` or the folder's name.
    func, label : dict of str -> list of Path
        By kind of run, the volumes (4-D NIfTI) and what was on the screen (CSV, one row a volume), in the same order.
    mask : Path
        NIfTI; its non-zero voxels are the ones that are modelled.
    background : Path or None
        Anatomical image to draw maps on.
    rois : dict of str -> Path
        Regions of interest, by name.
    truth : DataFrame or None
        What was put into each voxel, in the order of the mask's voxels; only of the simulated recording.
    stimulus_shape : (int, int) or None
        Rows and columns of an image; None for a square.
    """

    name: str
    func: dict
    label: dict
    mask: Path
    background: Path | None
    rois: dict
    truth: pd.DataFrame | None = None
    stimulus_shape: tuple | None = None


def load_recording(dataset="simulated", data_dir=None, stimulus_shape=None):
    """Find a recording; make the simulated one, download the real one, if it is not there yet.

    Parameters
    ----------
    dataset : str or path
        ``"simulated"``; ``"miyawaki2008"``, the recording of [1]_, through nilearn; or a folder with ``func/*.nii.gz``
        and ``label/*.csv`` in the same order, ``mask/mask.nii.gz`` and optionally ``bg.nii.gz`` and more masks in
        ``mask/``. Files named ``data_<kind>_run...`` are of that kind; files with other names count as ``"random"``,
        the kind that the book's models are fitted to.
    data_dir : path, optional
        Where the first two are kept. Default: nilearn's data folders.
    stimulus_shape : (int, int), optional
        Rows and columns of an image, for a recording of one's own. Default: the images are square.

    Returns
    -------
    recording : Recording

    Raises
    ------
    RecordingError
        If there is no such recording, it cannot be downloaded, or its folder lacks something, or its images do not
        lie on one grid; all faults that show without reading volumes are told at once. :func:`load_samples` finds
        those inside the volumes.

    References
    ----------
    .. [1] Miyawaki et al. (2008). Visual image reconstruction from human brain activity using a combination of
       multiscale local image decoders. Neuron 60(5), 915-929.
    """
    if dataset == "simulated":
        folder = simulated_recording(data_dir)
        truth = pd.read_csv(folder / "truth.tsv", sep="\t", index_col="voxel")
        truth["area"] = truth["area"].fillna("")
        return _checked(find_files(folder, name=dataset, truth=truth))
    if dataset == "miyawaki2008":
        return _checked(find_files(fetch_recording(data_dir), name=dataset))
    if not Path(dataset).is_dir():
        names = ", ".join(f'"{name}"' for name in DATASETS)
        raise RecordingError(f'No recording "{dataset}": expected {names} or the path of a folder that exists.')
    recording = find_files(Path(dataset).resolve(), stimulus_shape=stimulus_shape)
    return _checked(recording)


def _checked(recording):
    """The recording, if nothing is wrong with its headers."""
    faults = list(header_faults(recording))
    if faults:
        raise RecordingError("\n".join(faults))
    return recording


def header_faults(recording):
    """Yield what is wrong with the mask, and with the grid of each run, region and background.

    Parameters
    ----------
    recording : Recording

    Yields
    ------
    fault : str
    """
    try:
        mask_img = read_mask(recording.mask)
    except RecordingError as error:
        yield str(error)
        mask_img = None
    images = [(path, 4) for runs in recording.func.values() for path in runs]
    images += [(path, 3) for path in recording.rois.values()]
    for path, n_dimensions in images:
        try:
            open_image(path, like=mask_img, n_dimensions=n_dimensions)
        except RecordingError as error:
            yield str(error)
    if recording.background is not None:
        try:
            open_image(recording.background)
        except RecordingError as error:
            yield str(error)


def find_files(folder, name=None, truth=None, stimulus_shape=None):
    """The recording that lies in a folder of nilearn's layout; none of its files is opened.

    Parameters
    ----------
    folder : Path
    name, truth, stimulus_shape
        As in :class:`Recording`.

    Returns
    -------
    recording : Recording

    Raises
    ------
    RecordingError
        If runs, labels or the mask are missing, or not as many labels as runs are there.
    """
    func = sorted((folder / "func").glob("*.nii.gz"), key=_as_people_count)
    label = sorted((folder / "label").glob("*.csv"), key=_as_people_count)
    mask = folder / "mask" / "mask.nii.gz"
    faults = []
    if not func or len(func) != len(label):
        faults.append(
            f"{folder}: found {len(func)} runs in func/*.nii.gz and {len(label)} files in label/*.csv; "
            "expected at least one run, and one label file for each, in the same order."
        )
    if not mask.is_file():
        faults.append(f"{folder}: no mask/mask.nii.gz; expected the mask of the voxels to model.")
    if faults:
        raise RecordingError("\n".join(faults))
    background = folder / "bg.nii.gz"
    rois = {path.name.removesuffix(".nii.gz"): path for path in sorted(mask.parent.glob("*.nii.gz")) if path != mask}
    return Recording(
        name=name or folder.name,
        func=_by_kind(func, func),
        label=_by_kind(func, label),
        mask=mask,
        background=background if background.is_file() else None,
        rois=rois,
        truth=truth,
        stimulus_shape=None if stimulus_shape is None else tuple(stimulus_shape),
    )


def _as_people_count(path):
    """Sorting key of a file's name in which run 2 comes before run 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _by_kind(func, paths):
    """Sort files, one for each run, by the kind of run that the names of the volumes tell."""
    kinds = {}
    for run, path in zip(func, paths, strict=True):
        named = re.match(r"data_(\w+)_run", run.name)
        kinds.setdefault(named[1] if named else "random", []).append(path)
    return kinds
