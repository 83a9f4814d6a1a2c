"""Maps of one subject or of many, as files of the Brain Imaging Data Structure (BIDS), and back."""

import gzip
import re
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np

from .brain import unmask
from .data.reading import open_image, read_volume
from .errors import RecordingError
from .files import replace_file
from .results import COLUMNS, as_json, list_versions


def write_derivatives(folder, maps, mask_img, subject, task, space=None, settings=None):
    """Write maps of a subject as BIDS derivatives [1]_, beside those that the folder holds of others.

    Each map becomes an image and a JSON file that explains it, ::

        sub-01/func/sub-01_task-look_space-MNI152NLin2009cAsym_stat-r2_statmap.nii.gz

    and ``dataset_description.json`` is written where there is none. A file is replaced once the new one is whole.

    Parameters
    ----------
    folder : path
    maps : DataFrame, or dict of str -> ndarray of shape (n_voxels,)
        Values by name; of those that are columns of the results' table, the JSON file says what they mean.
    mask_img : Nifti1Image
    subject, task : str
        Labels of BIDS, letters and digits, such as ``"01"`` and ``"look"``.
    space : str, optional
        The space of the mask, such as ``"MNI152NLin2009cAsym"``. Default: the subject's own.
    settings : dict, optional
        What the maps were computed with, for the JSON files.

    Returns
    -------
    paths : list of Path
        The images, in the order of the maps.

    Raises
    ------
    ValueError, OSError
        If a label or name has other characters, there is no mask, a map has not one value a voxel; a file cannot be
        written.

    References
    ----------
    .. [1] Gorgolewski et al. (2016). The brain imaging data structure, a format for organizing and describing outputs
       of neuroimaging experiments. Scientific Data 3, 160044.
    """
    labels = {"sub": subject, "task": task} | ({"space": space} if space else {})
    for label in [*labels.values(), *maps]:
        if not re.fullmatch("[0-9A-Za-z]+", str(label)):
            raise ValueError(f"{label!r}: BIDS allows letters and digits in labels and names of maps, no others.")
    if mask_img is None:
        raise ValueError("mask_img is None: voxels without a place in a volume, such as those of a surface, have none.")
    folder, n_voxels = Path(folder), np.count_nonzero(mask_img.dataobj)
    for name, values in maps.items():
        if (shape := np.shape(values)) != (n_voxels,):
            raise ValueError(f"maps: {name!r} has shape {shape}; expected a value for each of {n_voxels} voxels.")
    description = folder / "dataset_description.json"
    if not description.exists():
        ours = {"Name": "Voxelwise encoding models", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
        ours["GeneratedBy"] = [{"Name": "voxelwise", "Version": version("voxelwise")}]
        replace_file(description, as_json(ours))
    made_by = {"Parameters": settings or {}, "Versions": list_versions()}
    stem, paths = "_".join(f"{key}-{label}" for key, label in labels.items()), []
    for name, values in maps.items():
        text, unit = COLUMNS.get(name, (name, "arbitrary"))
        path = folder / f"sub-{subject}" / "func" / f"{stem}_stat-{name}_statmap"
        replace_file(path.with_suffix(".json"), as_json({"Description": text, "Units": unit, "GeneratedBy": made_by}))
        image = unmask(values, mask_img, outside=np.nan)
        paths.append(path.with_suffix(".nii.gz"))
        replace_file(paths[-1], gzip.compress(image.to_bytes(), mtime=0))
    return paths


def load_results(folder, stat="r2", task=None, space=None):
    """Read a map of each subject from BIDS derivatives, as :func:`write_derivatives` writes them.

    Parameters
    ----------
    folder : path
    stat : str
        Name of the map.
    task, space : str, optional
        Only files with these labels, where there are several of a subject.

    Returns
    -------
    images : dict of str -> Nifti1Image
        By subject, in the order of their labels; in memory, float32, NaN outside the mask.

    Raises
    ------
    RecordingError
        If there is no such map, or more than one of a subject, or a file cannot be read whole.
    """
    wanted, found = {"stat": stat, "task": task, "space": space}, {}
    paths = sorted(Path(folder).glob("sub-*/func/sub-*_statmap.nii.gz"))
    for path in paths:
        labels = dict(part.partition("-")[::2] for part in path.name.split("_"))
        if all(labels.get(key) == label for key, label in wanted.items() if label):
            found.setdefault(labels["sub"], []).append(path)
    asked = ", ".join(f"{key}={label!r}" for key, label in wanted.items() if label)
    if not found:
        names = ", ".join(path.name for path in paths[:3]) or "none"
        raise RecordingError(f"{folder}: no map with {asked} in sub-*/func/; found {len(paths)} maps, such as {names}.")
    for subject, several in found.items():
        if len(several) > 1:
            raise RecordingError(f"{folder}: subject {subject} has {len(several)} maps with {asked}. Say which space.")
    return {
        subject: nibabel.Nifti1Image(read_volume(path).astype(np.float32), open_image(path).affine)
        for subject, (path,) in found.items()
    }
