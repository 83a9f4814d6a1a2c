"""Look through a recording in a folder and say what is in it, and everything that is wrong with it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .bids import bids_recording, list_runs
from .cleaning import read_changes
from .reading import as_shape, attempt, load_stimuli, open_image, read_mask, read_region, read_volume
from .recording import find_files
from .runs import count_unsteady, count_volumes
from .samples import is_rest

#: What the chapters need: so many runs of the kind that models are fitted to, and volumes in each, at a lag of 2.
MIN_RUNS, MIN_VOLUMES = 3, 4
MOST_UNSTEADY = 5  # so many volumes at most are taken for those before the scanner's steady state


@dataclass
class Report:
    """What a recording holds, and what is wrong with it."""

    summary: list = field(default_factory=list)  # pairs of a name and a text
    header: tuple = ("run", "kind", "labels", "volumes", "rest rows")
    runs: list = field(default_factory=list)  # a row for each run; of BIDS, for each subject, task and space
    warnings: list = field(default_factory=list)  # what may be meant, and would spoil results if it is not
    faults: list = field(default_factory=list)  # what keeps the book from using it

    def __str__(self):
        table = [tuple(map(str, row)) for row in (self.header, *self.runs)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [f"{name:<12}{text}" for name, text in self.summary]
        lines += ["", *("  ".join(map(str.ljust, row, widths)) for row in table)]
        for kind, found in (("warning", self.warnings), ("fault", self.faults)):
            if found:
                lines += ["", f"{len(found)} {kind}{'s' * (len(found) > 1)}:", *(f"- {text}" for text in found)]
        lines += [] if self.faults else ["", "No fault found."]
        return "\n".join(line.rstrip() for line in lines)


def check_folder(folder, stimulus_shape=None, derivatives=None):
    """Read a whole recording once and collect what is in it and what is wrong with it.

    Of a BIDS data set, these are all subjects, tasks and spaces; of their runs, no volumes are read. Where a file lacks
    its partner, or there is no mask, that alone is told: mend it, and look again.

    Parameters
    ----------
    folder, stimulus_shape, derivatives
        As in :func:`~voxelwise.load_recording`; or the folder of a BIDS data set, and what belongs to it.

    Returns
    -------
    report : Report
        An object to print. Its ``summary``, ``runs`` (rows under ``header``), ``warnings`` and ``faults`` are lists;
        what only the chapters refuse is a fault, too.
    """
    folder, stimulus_shape = Path(folder).expanduser(), as_shape(stimulus_shape)
    report = Report(summary=[("folder", str(folder))])
    if not folder.is_dir():
        report.faults.append(f"{folder}: not a folder that exists.")
        return report
    if any(path.is_dir() for path in folder.glob("sub-*")) and not (folder / "func").is_dir():
        return _check_bids(report, folder, derivatives)
    recording = attempt(report.faults, find_files, folder)
    if recording is None:  # which files belong together is not known
        return report
    mask_img, func, label = attempt(report.faults, read_mask, recording.mask), recording.func, recording.label
    for path in recording.rois.values():
        attempt(report.faults, read_region, path, mask_img)
    if recording.background is not None:
        attempt(report.faults, read_volume, recording.background)
    pairs = [(kind, *pair) for kind in func for pair in zip(func[kind], label[kind], strict=True)]
    shapes, n_dead, n_read = set(), 0, 0
    for kind, path, label_file in tqdm(pairs, desc="Reading", unit="run", disable=None, leave=False):
        image = attempt(report.faults, open_image, path, None, 4)
        n_volumes, n_rest, expected = "?" if image is None else image.shape[3], "?", ()
        stimuli = attempt(report.faults, load_stimuli, label_file, stimulus_shape)
        if stimuli is not None:
            rest, expected = is_rest(stimuli), (label_file, len(stimuli))
            n_rest = rest.sum()
            shapes.add(stimuli.shape[1:])
            if kind == "random" and len(stimuli) < MIN_VOLUMES:
                report.faults.append(f"{path}: {len(stimuli)} volumes; the chapters need at least {MIN_VOLUMES}.")
            if (stimuli[~rest] == -1).any():
                report.warnings.append(f"{label_file}: pixels of -1 in pictures; where all are, it counts as rest.")
        report.runs.append((path.name, kind, label_file.name, n_volumes, n_rest))
        changes = None if mask_img is None else attempt(report.faults, read_changes, path, mask_img, *expected)
        if changes is not None:
            n_dead, n_read = n_dead + ~changes.any(axis=0), n_read + 1
            if n_bright := _count_unsteady(changes.mean(axis=1)):
                said = f"the first {n_bright} volumes stand out, as before a steady state. Use drop_volumes."
                report.warnings.append(f"{path}: {said}")
    if len(shapes) > 1:
        report.faults.append(f"{folder}: label files with images of different shape: {sorted(shapes)}; expected one.")
    if (n_runs := len(func.get("random", ()))) < MIN_RUNS:
        report.faults.append(f'{folder}: {n_runs} runs of the kind "random"; the chapters need at least {MIN_RUNS}.')
    report.summary += _summary(recording, mask_img, shapes, n_dead, n_read)
    return report


def _check_bids(report, folder, derivatives):
    """Add what a BIDS data set holds, a row for each subject, task and space."""
    report.header = ("subject", "task", "space", "runs", "volumes", "events", "unsteady", "voxels", "lost")
    derivatives = Path(derivatives or folder / "derivatives" / "fmriprep").expanduser()
    report.summary.append(("derivatives", str(derivatives)))
    found = sorted({(subject, task, space) for subject, _, task, space in list_runs(derivatives)})
    if not found:
        report.faults.append(f"{derivatives}: no runs in it; expected what fMRIPrep wrote. Say where with derivatives.")
    for subject, task, space in found:
        recording = attempt(report.faults, bids_recording, folder, subject, task, space, None, derivatives)
        if recording is None:
            report.runs.append((subject, task, space or "-", *"??????"))
            continue
        paths, events = recording.func["random"], recording.events["random"]
        volumes = [attempt(report.faults, count_volumes, path) for path in paths]
        unsteady = [attempt(report.warnings, count_unsteady, path) for path in paths]
        inside = [read_region(path) for path in recording.masks["random"]] if recording.masks else [np.zeros(1, bool)]
        voxels, once = (int(both.reduce(inside).sum()) for both in (np.logical_and, np.logical_or))
        n_volumes, n_unsteady = ("?" if None in counts else sum(counts) for counts in (volumes, unsteady))
        row = (len(paths), n_volumes, sum(map(len, events)), n_unsteady, voxels or "-", once - voxels)
        report.runs.append((subject, task, space or "-", *row))
    return report


def _count_unsteady(mean):
    """How many volumes at the start of a run lie as far from all others as these from each other, by their mean."""
    if len(later := mean[MOST_UNSTEADY:]) < MOST_UNSTEADY:
        return 0
    beyond = np.maximum(mean - later.max(), later.min() - mean)[:MOST_UNSTEADY]
    return int((beyond > np.ptp(later)).cumprod().sum())


def _summary(recording, mask_img, shapes, n_dead, n_read):
    """Name and text of what the recording as a whole holds; ``n_dead`` of the runs read, each voxel never changes."""
    shown = [f"{rows} x {columns} = {rows * columns} pixels" for rows, columns in sorted(shapes)]
    yield "images", ", ".join(shown) or "?"
    if mask_img is not None:
        grid, size = (" x ".join(f"{n:g}" for n in sizes) for sizes in (mask_img.shape, mask_img.header.get_zooms()))
        yield "grid", f"{grid} voxels of {size} mm"
        n_never, n_partly = np.sum((n_dead > 0) & (n_dead == n_read)), np.sum((n_dead > 0) & (n_dead < n_read))
        partly = f", {n_partly} more do not change in some runs" if n_partly else ""
        yield "mask", f"{np.count_nonzero(mask_img.dataobj)} voxels, {n_never} of which never change{partly}"
    yield "background", "none" if recording.background is None else recording.background.name
    yield "regions", str(len(recording.rois))
