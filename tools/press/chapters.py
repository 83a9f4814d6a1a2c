"""The chapters: which there are, and a run of each, side by side."""

import base64
import contextlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor, as_completed

import joblib
import matplotlib
import nbformat
import papermill
import psutil
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from sphinx_external_toc.parsing import parse_toc_yaml
from traitlets.config import Config

from tools.press import BuildError

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
ENCRYPTED = Config(KernelManager={"transport_encryption": "auto"})  # others may share the machine
RUN_METADATA = {"papermill", "execution", "jupyter"}
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
HIDDEN = {"source_hidden": FOLDED, "outputs_hidden": {"hide-cell"}}  # in JupyterLab, by these tags
MEMORY = 1.5e9  # bytes, the most that a chapter may take: what Binder can be relied on to give


def find_chapters(root):
    """Return the paths of the notebooks that ``_toc.yml`` names, in reading order: of all that is no Markdown."""
    names = parse_toc_yaml(root / "_toc.yml")
    return [root / f"{name}.ipynb" for name in names if not (root / f"{name}.md").is_file()]


def tagged_cells(path, tag):
    try:
        notebook = nbformat.read(path, as_version=4)
    except ValueError as error:
        raise BuildError(f"{path.name} is not a Jupyter notebook: {str(error).splitlines()[0]}") from None
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def use_own_settings():
    """Have chapters run alike, whatever the reader set up for Jupyter, IPython, Matplotlib and the linear algebra."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # its errors are told by ours
    matplotlib.get_cachedir()  # where the home cannot be written to, this sets a folder for all processes, once
    os.environ.update(
        # A kernel of the same name in the user's own folders would otherwise run the chapters.
        JUPYTER_PREFER_ENV_PATH="1",
        JUPYTER_PATH="",
        MATPLOTLIBRC=os.path.join(matplotlib.get_data_path(), "matplotlibrc"),
        PYTHONUTF8="1",  # whatever the locale
        MPLBACKEND="module://matplotlib_inline.backend_inline",
        OMP_NUM_THREADS=str(max(1, joblib.cpu_count() // count_jobs())),
    )


def count_jobs():
    return max(1, min(joblib.cpu_count(), int(psutil.virtual_memory().available // MEMORY)))


def run_chapter(chapter, values, result):
    """Run one chapter in its own folder, write the cleaned notebook to ``result``, and return the seconds it took."""
    result.parent.mkdir(parents=True, exist_ok=True)
    so_far = f"The chapter as far as it ran: {result}"
    try:
        notebook = papermill.execute_notebook(
            *(str(path).replace("{", "{{").replace("}", "}}") for path in (chapter, result)),  # it fills in braces
            values,
            progress_bar=False,
            kernel_name=KERNEL["name"],
            language="python",
            config=ENCRYPTED,
            extra_arguments=["--log-level=CRITICAL"],
            coalesce_streams=True,  # where the kernel cuts them is a matter of timing
            resources={"metadata": {"path": str(chapter.parent)}},
            shutdown_kernel="immediate",
        )
    except PapermillExecutionError as error:
        raise BuildError(
            f"{chapter.name} failed in code cell {error.exec_count}, which begins\n"
            f"    {error.source.strip().splitlines()[0]}\n{error.ename}: {error.evalue}\n{so_far}"
        ) from None
    except DeadKernelError:
        raise BuildError(f"{chapter.name}: its Python died (out of memory?).\n{so_far}") from None
    seconds = notebook.metadata.papermill.duration
    clean_notebook(notebook)
    nbformat.write(notebook, result)
    return seconds


def run_chapters(parameters, root, source):
    """Run the chapters side by side, and return the executed notebooks, in reading order."""
    os.environ["IPYTHONDIR"] = str(source / ".ipython")
    notebooks = {chapter: source / chapter.relative_to(root) for chapter in parameters}
    jobs = count_jobs()

    def run(chapter):
        with contextlib.closing(ensure_event_loop()):  # of this thread
            return run_chapter(chapter, parameters[chapter], notebooks[chapter])

    print(f"Running {len(parameters)} chapters, {jobs} at a time", flush=True)
    pool = ThreadPoolExecutor(jobs)
    tasks = {pool.submit(run, chapter): chapter for chapter in parameters}
    try:
        for number, task in enumerate(as_completed(tasks), start=1):
            print(f"[{number}/{len(tasks)}] {tasks[task].stem} {task.result():.1f} s", flush=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return list(notebooks.values())


def clean_notebook(notebook):
    """Drop from an executed notebook what depends on the machine, the time or papermill; fold code away everywhere."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.kernelspec = dict(KERNEL)
    notebook.metadata.language_info.pop("version", None)
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if v != [] and k not in RUN_METADATA}
        hidden = {part: True for part, tags in HIDDEN.items() if tags & set(kept.get("tags", []))}
        cell.metadata = nbformat.from_dict(kept | ({"jupyter": hidden} if hidden else {}))


def read_cover(notebooks):
    """Return the PNG image that the cell tagged ``cover`` shows, or None without one."""
    shown = [output.data for path in notebooks for cell in tagged_cells(path, "cover") for output in cell.outputs]
    return next((base64.b64decode(data["image/png"]) for data in shown if "image/png" in data), None)
