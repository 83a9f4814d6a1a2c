"""Where a recording lies: the simulated one, the real one, or a folder of the reader's own, all in one layout."""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import RecordingError
from ..simulation.writing import simulated_recording
from .download import fetch_recording
from .pairing import pair_runs, stem
from .reading import as_shape, attempt, open_image, read_mask

DATASETS = ("simulated", "miyawaki2008")  # the recordings that need no folder
NAMED_SHAPE = (10, 10)  # rows and columns of their stimuli
NAMED_DEGREES = 1.15  # side of one of their pixels in degrees of visual angle, as Miyawaki et al. say
IMAGES = (".nii.gz", ".nii")


@dataclass(frozen=True)
class Recording:
    """The files of one recording.

    Attributes
    ----------
    name : str
        ``"simulated"``, ``"miyawaki2008"`` or the folder's name, with ``" (folder)"`` after it if it is one of these.
    folder : Path, absolute
    func, label : dict of str -> list of Path
        By kind of run, in the same order: the volumes (4-D NIfTI; of surfaces, two GIFTI files), and what was on the
        screen (CSV, one row a volume; or the table of events).
    mask, background : Path or None
        NIfTI: the mask, whose non-zero voxels are modelled, unless each run has its own; what to draw maps on.
    rois : dict of str -> Path
        Regions of interest, by name.
    truth : DataFrame or None
        What was put into each voxel of the simulated recording, in the order of the mask's voxels.
    stimulus_shape : (int, int) or None
        Rows and columns of a stimulus; None for a square.
    degrees_per_pixel : float or None
        Side of a pixel in degrees of visual angle, where it is known.
    events, masks, timing : dict of str -> list, or None
        Of BIDS, for each run: its events, a DataFrame that may be changed in place; its mask, a Path, for what all have
        in common is modelled; its seconds from volume to volume, and when in them, as a share, it was measured.
    """

    name: str
    folder: Path
    func: dict
    label: dict
    mask: Path | None
    background: Path | None
    rois: dict
    truth: pd.DataFrame | None = None
    stimulus_shape: tuple | None = None
    degrees_per_pixel: float | None = None
    events: dict | None = None
    masks: dict | None = None
    timing: dict | None = None

    def read_mask(self):
        """The mask of the voxels to model as a Nifti1Image of 0 and 1; None for surfaces."""
        if self.mask is not None:
            return read_mask(self.mask)
        return self.masks and read_mask(*itertools.chain(*self.masks.values()))


def load_recording(dataset="simulated", data_dir=None, stimulus_shape=None):
    """A Recording; the simulated one is made, the real one downloaded, if it is not there yet.

    Parameters
    ----------
    dataset : str or path
        ``"simulated"``; ``"miyawaki2008"``, the recording of [1]_; or a folder with runs in ``func/``, a CSV file for
        each in ``label/``, ``mask/mask.nii.gz`` and optionally ``bg.nii.gz`` and more masks in ``mask/``. Images may
        also be ``.nii``; hidden files do not count. Names tell which label file belongs to which run. Files named
        ``data_<kind>_run...`` are of that kind; others are ``"random"``, to which the book's models are fitted.
    data_dir : path, optional
        Where the first two are kept. Default: nilearn's data folders.
    stimulus_shape : (int, int), optional
        Rows and columns of a stimulus, for a recording of one's own. Default: the stimuli are square.

    Raises
    ------
    RecordingError, ValueError
        If there is no such recording, it cannot be downloaded, its folder lacks something, it is not clear which label
        file belongs to which run, or its images do not lie on one grid, all told at once; if the shape does not fit.

    References
    ----------
    .. [1] Miyawaki et al. (2008). Visual image reconstruction from human brain activity using a combination of
       multiscale local image decoders. Neuron 60(5), 915-929.
    """
    shape, folder, name = as_shape(stimulus_shape), Path(dataset).expanduser(), str(dataset)
    if name in DATASETS and not (isinstance(dataset, Path) and folder.is_dir()):
        if shape not in (None, NAMED_SHAPE):
            raise ValueError(f"stimulus_shape={stimulus_shape}: the stimuli of {name} have {NAMED_SHAPE} pixels.")
        if name == "miyawaki2008":
            return checked(find_files(fetch_recording(data_dir), name))
        folder = simulated_recording(data_dir).absolute()
        truth = pd.read_csv(folder / "truth.tsv", sep="\t", index_col="voxel")
        truth["area"] = truth["area"].fillna("")
        return checked(find_files(folder, name, truth))
    if not folder.is_dir():
        raise RecordingError(f'No recording "{dataset}": expected "simulated", "miyawaki2008" or a folder that exists.')
    if (folder / "dataset_description.json").is_file() and not (folder / "func").is_dir():
        raise RecordingError(f"{folder}: a data set in the order of BIDS. Find a subject's runs with bids_recording.")
    return checked(find_files(folder.resolve(), stimulus_shape=shape))


def checked(recording):
    """The recording, if nothing is wrong with its masks, and with the header of each run, region and background."""
    faults = []
    mask_img = attempt(faults, recording.read_mask)
    for path in itertools.chain(*recording.func.values()):
        if isinstance(path, Path):  # surfaces lie on no grid
            attempt(faults, open_image, path, mask_img, 4)
    for path in recording.rois.values():
        attempt(faults, open_image, path, mask_img)
    if recording.background is not None:
        attempt(faults, open_image, recording.background)
    if faults:
        raise RecordingError("\n".join(faults))
    return recording


def find_files(folder, name=None, truth=None, stimulus_shape=None):
    """The recording that lies in a folder of nilearn's layout; none of its files is opened."""
    func, masks = (list_files(folder / name, *IMAGES) for name in ("func", "mask"))
    label = list_files(folder / "label", ".csv")
    backgrounds = [path for path in list_files(folder, *IMAGES) if stem(path) == "bg"]
    partners, alone = pair_runs(func, label)
    faults = [
        f"{folder}: {one.relative_to(folder)} and {other.name} have one name; expected one of them."
        for paths in (func, masks, backgrounds)
        for one, other in itertools.pairwise(paths)
        if stem(one) == stem(other)
    ]
    if not func or len(func) != len(label):
        found = f"found {len(func)} runs in func/*.nii.gz and {len(label)} files in label/*.csv"
        faults.append(f"{folder}: {found}; expected pairs. Without a partner: {', '.join(alone) or 'none'}.")
    elif not partners:
        faults.append(
            f"{folder}: the names in func/ and label/ do not say which belong together; not clear: {', '.join(alone)}. "
            "Give both files of a run the same numbers, such as run-01.nii.gz and run-01.csv."
        )
    if "mask" not in map(stem, masks):
        faults.append(f"{folder}: no mask/mask.nii.gz; expected the mask of the voxels to model.")
    if faults:
        raise RecordingError("\n".join(faults))
    rois = {stem(path): path for path in sorted(masks)}
    mask, background = rois.pop("mask"), backgrounds[0] if backgrounds else None
    func_by_kind, label_by_kind = {}, {}
    for run, partner in zip(func, partners, strict=True):
        named = re.match(r"data_(\w+)_run", run.name)
        for files, path in ((func_by_kind, run), (label_by_kind, partner)):
            files.setdefault(named[1] if named else "random", []).append(path)
    degrees = NAMED_DEGREES if name else None
    name = name or f"{folder.name}{' (folder)' * (folder.name in DATASETS)}"
    return Recording(name, folder, func_by_kind, label_by_kind, mask, background, rois, truth, stimulus_shape, degrees)


def list_files(folder, *endings):
    """Files with one of these endings, run 2 before run 10; hidden ones, as some systems put beside others, are not."""
    paths = (path for path in folder.glob("*") if path.name.endswith(endings) and not path.name.startswith("."))
    return sorted(paths, key=as_people_count)


def as_people_count(path):
    """Sorting key of a file's name in which run 2 comes before run 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]
