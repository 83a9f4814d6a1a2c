"""Tables of what was measured, which pages of the book include from ``book/_measured``."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

from voxelwise.files import replace_file

MEASURED = Path(__file__).resolve().parents[2] / "book" / "_measured"


def make_table(texts, numbers, rows):
    """A Markdown table, given the headings of its columns of text and of those of numbers."""
    marks = ["---"] * len(texts) + ["---:"] * len(numbers)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in ([*texts, *numbers], marks, *rows))


def name_processor():
    """Name of the processor; of its kind where the system does not say more."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def describe_measurement(*libraries):
    """One sentence: the day, the machine, Python, and the versions of the libraries."""
    versions = "".join(f", {name} {version(name)}" for name in libraries)
    cores = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return f"Measured on {date.today()}: {name_processor()}, {cores}{versions}."


def store(name, text):
    """Show a text and put it in place of what was measured before."""
    replace_file(MEASURED / f"{name}.md", text.encode())
    print(f"\n{text}", end="", flush=True)
