"""A recording in the order of BIDS, as fMRIPrep leaves it: its files are found, or linked, where they lie."""

import glob
import itertools
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from nilearn.image import mean_img
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename

from ..errors import RecordingError
from .events import design_from_events
from .reading import ALMOST, attempt, first_file, read_t_r
from .recording import Recording, as_people_count, checked
from .runs import event_runs

ADDED = {"space", "res", "den", "cohort", "desc", "hemi"}  # by derivatives, to the name of a run
MOST_SECONDS = 60  # from volume to volume; a longer time was written in milliseconds
MISSING = ["n/a", "null", ""]  # what stands for a value that there is not, in tables of BIDS and of ds000255


def bids_recording(bids, subject, task, space=None, session=None, derivatives=None):
    """Find what fMRIPrep made of one subject's runs, and the events that belong to them; 3 is 03 in names.

    Events may stand higher up, in one file for several runs, as BIDS allows. Of the runs, only headers are read.

    Parameters
    ----------
    bids, derivatives : path
        The data set; and what fMRIPrep wrote, by default in its ``derivatives/fmriprep``.
    subject, session : str
        Such as ``"01"``; by default all sessions.
    task : str or dict of str -> str
        Whose runs; they count as the kind ``"random"``, to which models are fitted. A dict names several by their
        kinds, such as ``{"random": "viewRandom", "figure": "viewFigure"}``.
    space : str, optional
        Such as ``"MNI152NLin2009cAsym"``, with ``":res-2"`` after it where there are several resolutions; or one of
        surfaces, such as ``"fsaverage5"``. Default: the scanner's own space.

    Returns
    -------
    recording : Recording
        A RecordingError tells at once which runs lack events, a mask or another part, or have two of them.
    """
    bids = Path(bids).expanduser().resolve()
    derivatives = Path(derivatives).expanduser().resolve() if derivatives else bids / "derivatives" / "fmriprep"
    there = [folder.name.removeprefix("sub-") for folder in derivatives.glob("sub-*")]
    known = {_plain(name): name for name in there} | {name: name for name in there}
    subject = known.get(subject) or known.get(_plain(subject), str(subject))
    faults, parts = [], dict(func={}, label={}, masks={}, events={}, timing={})
    for kind, name in ({"random": task} if isinstance(task, str) else task).items():
        runs = _find_runs(faults, bids, derivatives, subject, name, space, session)
        for part, values in zip(parts.values(), zip(*runs, strict=True), strict=False):
            part[kind] = list(values)
    if faults:
        raise RecordingError("\n".join(faults))
    if not all(itertools.chain(*parts["masks"].values())):
        parts["masks"] = None
    where = "_".join(f"{key}-{value}" for key, value in (("sub", subject), ("ses", session), ("space", space)) if value)
    return checked(Recording(name=f"{bids.name} {where}", folder=bids, mask=None, background=None, rois={}, **parts))


def link_folder(recording, features, folder):
    """Make the folder of a recording with events that the chapters of the book run on.

    A volume's row of pixels is the share of the volume that each stimulus is seen for, as
    ``design_from_events(..., hrf=None)`` makes it, less 1 for the share without any, so rest is -1. Volumes are links,
    and the mean of the first run is the background.

    Parameters
    ----------
    recording, features
        As :func:`bids_recording` finds it, of volumes; as :func:`load_pictures` and :func:`load_patterns` make them.
    folder : path
        Made if need be, and returned, for :func:`load_recording`, with the pixels' ``stimulus_shape``. An OSError if it
        has such files already.
    """
    folder, mask_img = Path(folder).expanduser(), recording.read_mask()
    if mask_img is None or recording.events is None:
        raise RecordingError(f'Recording "{recording.name}" has no volumes with events; the chapters read such only.')
    found = {kind: event_runs(recording, kind, features, None) for kind in recording.func}  # or an error, before a file
    for kind, (_, _, shape) in found.items():
        if len(shape) != 2:
            raise ValueError(f"features: laid out as {shape}; expected one table of rows and columns of pixels.")
        if not re.fullmatch(r"\w+", kind):
            raise ValueError(f"kind {kind!r}: expected letters, digits and _ only, for names of files.")
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)
    for kind, (runs, _, shape) in found.items():
        for number, run in enumerate(runs, start=1):
            name = f"data_{kind}_run{number:02}"
            (folder / "func" / f"{name}.nii{run.path.suffix.removeprefix('.nii')}").symlink_to(run.path)
            n_volumes = len(run.design)
            seen = design_from_events(run.trials.assign(seen=1), "seen", n_volumes, run.t_r, None)
            rows = run.design - np.maximum(1 - seen, 0)
            rows[seen[:, 0] < ALMOST] = -1
            rows = rows.reshape(-1, *shape).swapaxes(1, 2).reshape(n_volumes, -1)  # column by column
            np.savetxt(folder / "label" / f"{name}.csv", rows, fmt="%.6g", delimiter=",")
    mask_img.to_filename(folder / "mask" / "mask.nii.gz")
    mean_img(next(iter(recording.func.values()))[0]).to_filename(folder / "bg.nii.gz")
    return folder


def list_runs(derivatives):
    """Subject, session, task and space of all runs that fMRIPrep prepared, a tuple each; "" where there is none."""
    derivatives = glob.escape(str(derivatives))
    paths = get_bids_files(derivatives, "bold", "nii*", modality_folder="func", filters=[("desc", "preproc")])
    for path in paths + get_bids_files(derivatives, "bold", "func.gii", modality_folder="func"):
        entities = parse_bids_filename(path)["entities"]
        subject, session, task, space = (entities.get(name, "") for name in ("sub", "ses", "task", "space"))
        yield subject, session, task, f"{space}:res-{entities['res']}" if "res" in entities else space


def read_events(path):
    """The events of a file, one row each; onsets and durations are numbers, everything else is text."""
    try:
        with warnings.catch_warnings(action="ignore", category=pd.errors.ParserWarning):
            # Where rows end in a tab, pandas would take the first column for an index, and move all others.
            events = pd.read_csv(path, sep="\t", index_col=False, dtype=str, keep_default_na=False, na_values=MISSING)
        for column in ("onset", "duration"):
            events[column] = pd.to_numeric(events[column])
    except (OSError, ValueError, KeyError) as error:
        raise RecordingError(f"{path}: not a table of events with onset and duration in seconds ({error}).") from None
    return events


def _find_runs(faults, bids, derivatives, subject, task, space, session):
    """Volumes, events file, mask, events and timing of each run of a task; what is wrong is added to the faults."""
    space, *more = (space or "").split(":")
    wanted = [("task", task), ("space", space), *(tuple(entity.split("-", 1)) for entity in more)]

    def find(folder, suffix, ending, *filters):
        where = glob.escape(str(folder)), suffix, ending, glob.escape(subject), "func"
        found = _by_run(faults, get_bids_files(*where, list(filters)))
        return {run: path for run, path in found.items() if not session or ("ses", _plain(session)) in run}

    func = find(derivatives, "bold", "nii*", *wanted, ("desc", "preproc"))
    masks = find(derivatives, "mask", "nii*", *wanted, ("desc", "brain"))
    if not func:
        left, right = (find(derivatives, "bold", "func.gii", *wanted, ("hemi", side)) for side in "LR")
        func = {run: (left[run], right[run]) for run in left if run in right}
        faults += [f"{(left | right)[run]}: without its other hemisphere." for run in left.keys() ^ right.keys()]
        masks = dict.fromkeys(func)
    if not func:
        there = ({run[part] or "None" for run in list_runs(derivatives)} for part in range(4))
        subjects, sessions, tasks, spaces = (", ".join(sorted(found)) or "none" for found in there)
        asked = f'subject "{subject}", session "{session or "any"}", task "{task}", space "{space or None}"'
        faults.append(
            f"{derivatives}: no runs of {asked}; found subjects {subjects}, sessions {sessions}, tasks {tasks}, spaces "
            f"{spaces} (None is the scanner's). Name the data set with bids, what fMRIPrep wrote with derivatives."
        )
    root = glob.escape(str(bids))
    of_subject = f"{root}/sub-{glob.escape(subject)}/**/sub-*"  # of a subject, a session or a run
    tables, sidecars = (
        _by_run(faults, sorted(glob.glob(f"{root}/*{ending}") + glob.glob(f"{of_subject}_{ending}", recursive=True)))
        for ending in ("events.tsv", "bold.json")
    )
    for run in sorted(func, key=lambda run: as_people_count(first_file(func[run]))):
        path, table = func[run], _nearest(run, tables)
        if run not in masks:
            faults.append(f"{path}: without a mask; expected a file beside it that ends in _desc-brain_mask.nii.gz.")
        if table is None:
            faults.append(f"{path}: without events; expected a file ending in _events.tsv for this run in {bids}.")
            continue
        events = attempt(faults, read_events, table)
        timing = attempt(faults, _read_timing, first_file(path), _nearest(run, sidecars))
        yield path, table, masks.get(run), events, timing


def _by_run(faults, paths):
    """Files by the run that their names tell: entities with their values, without what derivatives add."""
    found = {}
    for path in map(Path, paths):
        entities = parse_bids_filename(path)["entities"]
        run = frozenset((key, _plain(value)) for key, value in entities.items() if key not in ADDED)
        if run in found:
            said = "expected one. Of several resolutions, say which, as in space='T1w:res-2'."
            faults.append(f"{path}: of the same run as {found[run].name}; {said}")
        found[run] = path
    return found


def _plain(value):
    """A value of an entity, as a number if it is one: 3 is 03."""
    return int(value) if str(value).isdecimal() else value


def _nearest(run, found):
    """Of the files whose names contradict nothing of a run's, the one that says most; None if there is none."""
    return found[max(fits, key=len)] if (fits := [of for of in found if of <= run]) else None


def _read_timing(path, raw_sidecar):
    """Seconds from volume to volume, and when in them, as a share, a run's volumes were measured."""
    said = {}
    for sidecar in (raw_sidecar, path.with_name(path.name.partition(".")[0] + ".json")):
        if sidecar is not None and sidecar.is_file():
            try:
                said |= json.loads(sidecar.read_text(encoding="utf-8"))
            except (OSError, ValueError, TypeError) as error:
                raise RecordingError(f"{sidecar}: not JSON that can be read ({error}).") from None
    t_r, start = said.get("RepetitionTime"), said.get("StartTime")
    if t_r is None and not path.name.endswith(".gii"):
        t_r = read_t_r(path)
    if not (isinstance(t_r, int | float) and 0 < t_r < MOST_SECONDS):
        wanted = f"a RepetitionTime in seconds in its JSON, above 0 and below {MOST_SECONDS}"
        raise RecordingError(f"{path}: the time from volume to volume is {t_r!r}; expected {wanted}.")
    # fMRIPrep says StartTime where it moved all slices to one time; without that, a volume is measured all along.
    start = t_r / 2 if start is None else start
    if not (isinstance(start, int | float) and 0 <= start <= t_r):
        raise RecordingError(f"{path}: StartTime is {start!r} in its JSON; expected seconds, from 0 to {t_r}.")
    return t_r, start / t_r
