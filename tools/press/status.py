"""The page that says what this build took, on what, and with what: only a build can know."""

import datetime
import platform
from importlib.metadata import version

import joblib

from tools.press.parameters import parse_literal

MARK = "% In a build, what it measured takes the place of all that follows."
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "nibabel", "nilearn", "matplotlib", "jupyter-book")
WHERE = {"dataset", "data_dir"}  # the name of the recording says it, and a path is nobody's business


def describe_runs(runs, recording, declared, parameters):
    """The lines of a table of the chapters' runs in MyST Markdown, with the parameters that are not their defaults."""
    lines = ["| Chapter | Run time (s) | Peak memory (GB) | Recording |", "| --- | ---: | ---: | --- |"]
    for run, (chapter, own) in zip(runs, parameters.items(), strict=True):
        changed = {n: v for n, v in own.items() if v != parse_literal(declared[chapter][n].default)}
        settings = "".join(f", `{name} = {value!r}`" for name, value in changed.items() if name not in WHERE)
        took = f"{run.seconds:.1f} | {run.memory / 1e9:.2f}"
        lines.append(f"| {{doc}}`{run.notebook.stem}` | {took} | `{recording}`{settings} |")
    total, most = sum(run.seconds for run in runs), max(run.memory for run in runs) / 1e9
    return [*lines, f"| **All** | {total:.1f} | {most:.2f} | |", ""]


def fill_status(source, *measured):
    """Put what the build measured, and what it ran on, into the staged page."""
    page = source / "book" / "status.md"
    text, _, _ = page.read_text(encoding="utf-8").partition(MARK)
    versions = "".join(f", {name} {version(name)}" for name in PACKAGES)
    facts = [
        f"- **Built:** {datetime.datetime.now(datetime.UTC):%d %B %Y}",
        f"- **On:** {platform.system()} {platform.machine()}, {joblib.cpu_count()} processor cores",
        f"- **With:** Python {platform.python_version()}{versions}",
    ]
    page.write_text("\n".join([text, *describe_runs(*measured), *facts, ""]), encoding="utf-8")
