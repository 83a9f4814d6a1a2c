"""Look through a recording in a folder and say what is in it, and everything that is wrong with it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..errors import RecordingError
from .files import load_stimuli, open_image, read_mask, read_region, read_volume, read_voxels
from .recording import find_files, header_faults
from .samples import is_rest


@dataclass
class Report:
    """What a recording holds.

    Attributes
    ----------
    summary : list of (str, str)
        What it is, as pairs of a name and a text.
    runs : list of tuple
        For each run its file, kind, label file, number of volumes, number of rest rows.
    faults : list of str
        Everything that keeps the book from using it.
    """

    summary: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    faults: list = field(default_factory=list)

    def __str__(self):
        header = ("run", "kind", "labels", "volumes", "rest rows")
        table = [tuple(map(str, row)) for row in (header, *self.runs)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [f"{name:<12}{text}" for name, text in self.summary]
        lines += ["", *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)]
        if self.faults:
            lines += ["", f"{len(self.faults)} fault{'s' * (len(self.faults) > 1)}:"]
            lines += [f"- {fault}" for fault in self.faults]
        else:
            lines += ["", "No fault found."]
        return "\n".join(line.rstrip() for line in lines)


def check_folder(folder, stimulus_shape=None):
    """Read a whole recording once and collect what is in it and what is wrong with it.

    Parameters
    ----------
    folder : path
        In the layout that :func:`~voxelwise.load_recording` reads.
    stimulus_shape : (int, int), optional
        Rows and columns of an image. Default: the images are square.

    Returns
    -------
    report : Report
        Its faults are in the words of the errors that loading would raise.
    """
    report = Report(summary=[("folder", str(folder))])
    try:
        recording = find_files(Path(folder), stimulus_shape=stimulus_shape)
    except RecordingError as error:
        report.faults += str(error).splitlines()
        _check_singly(report, Path(folder), stimulus_shape)
        return report
    report.faults += header_faults(recording)
    mask_img = _attempt(report, read_mask, recording.mask)
    for path in recording.rois.values():
        _attempt(report, read_region, path, mask_img)
    if recording.background is not None:
        _attempt(report, read_volume, recording.background)
    shapes, constant = set(), True
    pairs = [
        (kind, *pair)
        for kind in recording.func
        for pair in zip(recording.func[kind], recording.label[kind], strict=True)
    ]
    for kind, path, label in tqdm(pairs, desc="Reading", unit="run", disable=None, leave=False):
        images = _attempt(report, load_stimuli, label, stimulus_shape)
        n_rest = "?" if images is None else is_rest(images).sum()
        expected = () if images is None else (label, len(images))
        values = None if mask_img is None else _attempt(report, read_voxels, path, mask_img, *expected)
        report.runs.append((path.name, kind, label.name, _volumes(path), n_rest))
        if images is not None:
            shapes.add(images.shape[1:])
        if values is not None:
            constant = constant & (values == values[0]).all(axis=0)
    if len(shapes) > 1:
        report.faults.append(f"{folder}: label files with images of different shape: {sorted(shapes)}; expected one.")
    report.summary += _summary(recording, mask_img, shapes, np.sum(constant))
    return report


def _check_singly(report, folder, stimulus_shape):
    """Add the faults of single files, where it is not known which belong together."""
    mask = folder / "mask" / "mask.nii.gz"
    mask_img = _attempt(report, read_mask, mask) if mask.is_file() else None
    for path in sorted((folder / "func").glob("*.nii.gz")):
        _attempt(report, open_image, path, mask_img, 4)
    for path in sorted((folder / "label").glob("*.csv")):
        _attempt(report, load_stimuli, path, stimulus_shape)


def _attempt(report, read, *arguments):
    """What a reading function returns, or None and its fault in the report."""
    try:
        return read(*arguments)
    except RecordingError as error:
        if str(error) not in report.faults:
            report.faults.append(str(error))
        return None


def _volumes(path):
    """Number of volumes that the header of a run tells."""
    try:
        return open_image(path, n_dimensions=4).shape[3]
    except RecordingError:
        return "?"


def _summary(recording, mask_img, shapes, n_constant):
    """Name and text of what the recording as a whole holds."""
    shown = [f"{rows} x {columns} = {rows * columns} pixels" for rows, columns in sorted(shapes)]
    yield "images", ", ".join(shown) or "?"
    if mask_img is not None:
        grid, size = (" x ".join(f"{n:g}" for n in sizes) for sizes in (mask_img.shape, mask_img.header.get_zooms()))
        yield "grid", f"{grid} voxels of {size} mm"
        yield "mask", f"{np.count_nonzero(mask_img.dataobj)} voxels, {n_constant} of which never change"
    yield "background", "none" if recording.background is None else recording.background.name
    yield "regions", str(len(recording.rois))
