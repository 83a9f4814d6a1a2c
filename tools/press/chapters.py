"""The chapters: which there are, and a run of each."""

import base64
import os
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import yaml
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from tools.press.memory import watch_memory
from tools.press.terminal import BuildError, show_path, show_time

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
ENCRYPTED = Config(KernelManager={"transport_encryption": "auto"})  # others may share the machine
# Now and then a kernel that is told to end finds its own sockets closed already, and Tornado tells the terminal: for
# one such case, see https://github.com/ipython/ipykernel/pull/1518.
QUIET_TORNADO = "__import__('logging').getLogger('tornado.general').setLevel('CRITICAL')"
SILENT = ["--log-level=CRITICAL", f"--IPKernelApp.exec_lines={QUIET_TORNADO}"]
RUN_METADATA = {"papermill", "execution"}


def list_toc(entry):
    """Yield the files that an entry of ``_toc.yml`` names, in reading order."""
    yield from (entry[key] for key in ("root", "file") if key in entry)
    for key in ("parts", "chapters", "sections"):
        for child in entry.get(key, []):
            yield from list_toc(child)


def find_chapters(root):
    """Return the paths of the notebooks that ``_toc.yml`` names, in reading order."""
    chapters = []
    for name in list_toc(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))):
        notebook, page = root / f"{name}.ipynb", root / f"{name}.md"
        if notebook.is_file():
            chapters.append(notebook)
        elif not page.is_file():
            raise BuildError(f"_toc.yml names {name}: add {notebook.name}, or take the line out.")
    return chapters


def tagged_cells(path, tag):
    """Return the cells of a notebook that carry the tag."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except nbformat.reader.NotJSONError:
        raise BuildError(f"{path.name} is not a Jupyter notebook.") from None
    return [cell for cell in cells if tag in cell.metadata.get("tags", [])]


@dataclass(frozen=True)
class Run:
    """A chapter that ran: the executed notebook, the seconds it took, and the most bytes of memory it held at once."""

    notebook: Path
    seconds: float
    memory: int


def run_chapter(chapter, values, result):
    """Run one chapter in its own folder, and write the cleaned notebook to ``result``."""
    result.parent.mkdir(parents=True, exist_ok=True)
    so_far = f"The chapter as far as it ran: {show_path(result)}"
    start = time.perf_counter()
    try:
        with watch_memory() as peak:
            notebook = papermill.execute_notebook(
                chapter,
                result,
                values,
                cwd=chapter.parent,
                progress_bar=False,
                config=ENCRYPTED,
                kernel_name=KERNEL["name"],
                language="python",
                extra_arguments=SILENT,
            )
    except PapermillExecutionError as error:
        raise BuildError(
            f"{chapter.name} failed in code cell {error.exec_count}, which begins\n"
            f"    {error.source.strip().splitlines()[0]}\n{error.ename}: {error.evalue}\n{so_far}"
        ) from None
    except DeadKernelError:
        raise BuildError(f"{chapter.name}: its Python died (out of memory?).\n{so_far}") from None
    clean_notebook(notebook)
    nbformat.write(notebook, result)
    return Run(result, time.perf_counter() - start, peak())


def run_chapters(parameters, root, source):
    """Run the chapters in order, and return what became of each."""
    # A kernel of the same name in the user's own folders would otherwise run the chapters.
    os.environ.update(JUPYTER_PREFER_ENV_PATH="1", JUPYTER_PATH="")
    runs = []
    for number, (chapter, values) in enumerate(parameters.items(), start=1):
        with show_time(f"[{number}/{len(parameters)}] {chapter.stem}"):
            runs.append(run_chapter(chapter, values, source / chapter.relative_to(root)))
    return runs


def clean_notebook(notebook):
    """Drop from an executed notebook what depends on the machine, the time or papermill."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.kernelspec = dict(KERNEL)
    notebook.metadata.language_info.pop("version", None)
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if v != [] and k not in RUN_METADATA}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)


def merge_streams(outputs):
    """Join consecutive pieces of one stream: where the kernel cuts it is a matter of timing."""
    merged = []
    for output in outputs:
        if merged and output.get("name", "") == merged[-1].get("name"):  # only streams have names
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def read_cover(notebooks):
    """Return the PNG image that the cell tagged ``cover`` shows, or None without such a cell."""
    cells = [cell for path in notebooks for cell in tagged_cells(path, "cover")]
    outputs = [output for cell in cells for output in cell.outputs]
    images = [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    if cells and len(images) != 1:
        raise BuildError(f"The cell tagged 'cover' shows {len(images)} PNG images, expected 1.")
    return base64.b64decode(images[0]) if images else None
