"""The page that says what this build took, on what, and with what: only a build can know."""

import datetime
import platform
from importlib.metadata import version

import joblib

from tools.press.parameters import parse_literal
from tools.press.repository import describe_commit

MARK = "% In a build, what it measured takes the place of all that follows."
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "nibabel", "nilearn", "matplotlib", "jupyter-book")
WHERE = {"dataset", "data_dir"}  # the name of the recording says it, and a path is nobody's business


def list_changes(declared, parameters):
    """Return, for each chapter, the parameters that differ from its defaults."""
    return {
        chapter: {
            name: value for name, value in own.items()
            if name not in WHERE and value != parse_literal(declared[chapter][name].default)
        }
        for chapter, own in parameters.items()
    }  # fmt: skip


def describe_build(root, runs, recording, changes):
    """Return a table of the chapters' runs, and what they ran on, as MyST Markdown."""
    rows = ["| Chapter | Run time (s) | Peak memory (GB) | Recording |", "| --- | ---: | ---: | --- |"]
    for run, changed in zip(runs, changes.values(), strict=True):
        settings = "".join(f", `{name} = {value!r}`" for name, value in changed.items())
        rows.append(
            f"| {{doc}}`{run.notebook.stem}` | {run.seconds:.1f} | {run.memory / 1e9:.2f} | `{recording}`{settings} |"
        )
    total, most = sum(run.seconds for run in runs), max(run.memory for run in runs) / 1e9
    rows.append(f"| **All** | {total:.1f} | {most:.2f} | |")
    commit = describe_commit(root)
    facts = [
        ("Built", f"{datetime.datetime.now(datetime.UTC):%d %B %Y}" + (f", from commit {commit}" if commit else "")),
        ("On", f"{platform.system()} {platform.machine()}, {joblib.cpu_count()} processor cores"),
        ("With", ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in PACKAGES)])),
    ]
    return "\n".join([*rows, "", *(f"- **{name}:** {fact}" for name, fact in facts), ""])


def fill_status(page, table):
    """Put what the build measured into the staged page."""
    text, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    page.write_text(text + table if mark else text, encoding="utf-8")
