"""The runs to read: what each of their volumes could answer to, which are kept, and what is to be taken out."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from nilearn.interfaces.fmriprep import load_confounds
from nilearn.signal import create_cosine_drift

from ..errors import RecordingError
from .events import design_from_events, features_of_events, one_column_each
from .reading import first_file, open_image, read_region, read_surface
from .tables import layout

ANY = ("high_pass",)  # what nilearn finds in any table of confounds, to ask it which volumes are steady


@dataclass(frozen=True)
class Run:
    """A run to read, and what each of its volumes could answer to."""

    path: Path | tuple  # of volumes, or of the surfaces of both hemispheres
    source: Path  # what tells of the screen
    design: np.ndarray  # float32, shape (n_volumes, n_features)
    t_r: float  # seconds
    slice_time_ref: float = 0.5  # when in a volume's time, as a share of it, its values were measured
    first: int = 0  # the volumes before it have no partner
    n_events: int = 0
    trials: pd.DataFrame | None = None  # the events that show something
    shown: np.ndarray | None = None  # what they show, shape (n_trials, n_features)
    kept: np.ndarray | None = None  # the volumes that are not dropped
    confounds: np.ndarray | None = None  # float64, shape (n_volumes, n_confounds)


def event_runs(recording, kind, features, hrf):
    """Runs with events, each with its design; how many columns each feature space has; and the shape of a row."""
    tables, runs = features if isinstance(features, dict) and features else {"": features}, []
    for name, table in tables.items():
        if isinstance(table, str):  # the same columns in all runs, whichever values one has
            values = [events[table].dropna() for events in recording.events[kind] if table in events]
            tables = tables | {name: one_column_each(set().union(*values), table)}
    parts = (recording.func, recording.label, recording.events, recording.timing)
    for path, source, events, (t_r, at) in zip(*(part[kind] for part in parts), strict=True):
        n_volumes = count_volumes(path)
        try:
            designs = [design_from_events(events, table, n_volumes, t_r, hrf, at) for table in tables.values()]
        except ValueError as error:
            raise RecordingError(f"{source}: {error}") from None
        rows, each = zip(*(features_of_events(events, table) for table in tables.values()), strict=True)
        shown = np.logical_or.reduce(each)
        if not shown.any():
            raise RecordingError(f"{source}: none of its {len(events)} events shows anything; leave the run aside.")
        trials = dict(n_events=len(events), trials=events[shown], shown=np.hstack(rows)[shown])
        runs.append(Run(path, source, np.hstack(designs), t_r, at, **trials))
    widths = {name: design.shape[1] for name, design in zip(tables, designs, strict=True)}
    if len(tables) > 1 or "" not in tables:
        return runs, widths, (sum(widths.values()),)
    (table,) = tables.values()
    n_delays = widths[""] // table.shape[1]
    return runs, None, (n_delays,) * (n_delays > 1) + layout(table)


def prepare_run(run, confounds, drop_volumes, high_pass):
    """The run with its confounds, slow cosines among them, and without the volumes to drop; arguments as to load."""
    path, n_volumes, only_steady = first_file(run.path), len(run.design), drop_volumes == "non_steady_state"
    strategy = confounds.get("strategy", "?") if isinstance(confounds, dict) else confounds
    kept, found = np.arange(n_volumes), None
    if strategy or only_steady:
        found, steady = _load_confounds(run.path, confounds or ANY)
        if strategy and len(found) != n_volumes:
            raise RecordingError(f"{path}: {n_volumes} volumes; its confounds have {len(found)} rows.")
        if steady is not None and (only_steady or "scrub" in strategy):
            kept = np.asarray(steady)
        unknown = found.columns[found.isna().any()] if strategy else ()
        if len(unknown):
            raise RecordingError(
                f"{path}: n/a among its confounds in {', '.join(unknown)}; expected numbers, or others."
            )
        found = found.to_numpy(float) if strategy else None
    if not only_steady:
        kept = kept[kept >= drop_volumes]
    if high_pass:
        if not run.t_r > 0:
            raise RecordingError(f"{path}: {run.t_r:g} s from volume to volume; expected more, for high_pass.")
        # nilearn's own filter leaves out all cosines where one confound resembles one of them, as slow movement does.
        slow = create_cosine_drift(high_pass, run.t_r * np.arange(n_volumes))[:, :-1]
        found = slow if found is None else np.hstack([found, slow])
    n_taken = 0 if found is None else found.shape[1]
    if len(kept) <= n_taken + 1 or np.sum(kept >= run.first) < 2:
        left = f"{len(kept)} of {n_volumes} volumes would be left for {n_taken} confounds"
        raise RecordingError(f"{path}: {left}; expected more. Take out less, or leave the run aside.")
    return replace(run, kept=kept, confounds=found if n_taken else None)  # some name only volumes to leave out


def report_runs(runs, responses, masks=None):
    """What became of each run, a row each; ``masks`` are the runs' own, where they have some."""
    rows = []
    for run, values, mask in zip(runs, responses, masks or [None] * len(runs), strict=True):
        n_volumes, n_voxels = len(run.design), values.shape[1]
        row = dict(
            run=re.split(r"_(?:space|res|den|desc|hemi)-|\.", first_file(run.path).name)[0],
            volumes=n_volumes,
            dropped=n_volumes - len(run.kept),
            events=run.n_events,
            shown=0 if run.trials is None else len(run.trials),
            confounds=0 if run.confounds is None else run.confounds.shape[1],
            voxels=n_voxels,
            lost=read_region(mask).sum() - n_voxels if mask else 0,
            dead=np.sum(~values.any(axis=0)),
        )
        rows.append(row)
    return pd.DataFrame(rows).set_index("run")


def count_unsteady(path):
    """How many volumes of a run fMRIPrep found before the scanner was steady."""
    _, steady = _load_confounds(path, ANY)
    return 0 if steady is None else count_volumes(path) - len(steady)


def count_volumes(path):
    """How many volumes a run has, by its header; of surfaces, by the left hemisphere."""
    return len(read_surface(path[:1])) if isinstance(path, tuple) else open_image(path, n_dimensions=4).shape[3]


def _load_confounds(path, confounds):
    """Confounds of a run, as a DataFrame, and its volumes that are steady and not scrubbed, None for all."""
    options = confounds if isinstance(confounds, dict) else {"strategy": tuple(confounds)}
    # nilearn finds the table by the name of the images, and knows volumes by this ending only.
    names = [str(side) for side in path] if isinstance(path, tuple) else f"{str(path).removesuffix('.gz')}.gz"
    try:
        return load_confounds(names, **options)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise RecordingError(f"{first_file(path)}: no confounds as asked, {confounds!r}. {error}") from None
