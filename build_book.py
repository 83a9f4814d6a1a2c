"""Run the chapters of the book on a recording and render the pages: `python build_book.py -h`."""

import argparse
import ast
import base64
import contextlib
import fcntl
import inspect
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import papermill
import yaml
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError, strip_color
from papermill.translators import PythonTranslator
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent
PAGE_FILES = {".md", ".bib", ".css", ".gif", ".jpg", ".png", ".svg"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
ENCRYPTED = Config(KernelManager={"transport_encryption": "auto"})  # others may share the machine
RUN_METADATA = {"papermill", "execution"}
TYPES = {"bool": bool, "float": float, "int": int, "str": str}


class BuildError(Exception):
    """Something that the person at the terminal can put right."""


def show_path(path):
    """Return the path as people type it: relative to the working directory when inside it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@contextlib.contextmanager
def show_time(step):
    """Say what is at work, and how long it took when the ``with`` block ends."""
    print(step, end=" ... ", flush=True)
    start = time.perf_counter()
    try:
        yield
    finally:
        print(f"{time.perf_counter() - start:.1f} s", flush=True)


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


def read_parameters(chapter):
    """Return papermill's description of each parameter of a chapter, by name."""
    cells = tagged_cells(chapter, "parameters")
    if len(cells) != 1:
        raise BuildError(f"{chapter.name} has {len(cells)} cells tagged 'parameters', expected 1.")
    return {parameter.name: parameter for parameter in PythonTranslator.inspect(cells[0])}


def parse_literal(text):
    """Return the Python literal that the text spells, or else the text itself."""
    try:
        return ast.literal_eval(text.capitalize() if text in ("true", "false") else text)
    except (ValueError, SyntaxError):
        return text


def parse_value(text, parameter, chapter):
    """Read the text given for a parameter as a value of the parameter's type."""
    expected = TYPES.get(parameter.inferred_type_name, type(parse_literal(parameter.default)))
    value = text if expected is str else parse_literal(text)
    if expected is type(None) or type(value) in {float: (int, float)}.get(expected, (expected,)):
        return value
    raise BuildError(
        f"-p {parameter.name} {text}: {chapter.name} expects {expected.__name__} "
        f"(its default is {parameter.default}), not {type(value).__name__}."
    )


def share_settings(settings, chapters):
    """Return, for each chapter, the values of those settings that are parameters of it."""
    declared = {chapter: read_parameters(chapter) for chapter in chapters}
    known = sorted(set().union(*declared.values()))
    for name in settings.keys() - known:
        raise BuildError(f"No chapter has a parameter {name!r}. They have: {', '.join(known)}.")
    return {
        chapter: {n: parse_value(settings[n], own[n], chapter) for n in own if n in settings}
        for chapter, own in declared.items()
    }


def collect_values(parameters):
    """Return the value of every parameter of the chapters: its default, or what was set instead."""
    values = {}
    for chapter, own in parameters.items():
        values |= {n: parse_literal(p.default) for n, p in read_parameters(chapter).items()} | own
    return values


@contextlib.contextmanager
def use_package(book):
    """Be where the chapters run, and can import from; turn a fault of the recording into ours."""
    sys.path.insert(0, str(book))
    from voxelwise import RecordingError
    with contextlib.chdir(book):  # paths are relative to it
        try:
            yield
        except RecordingError as error:
            raise BuildError(str(error)) from None


def call(function, *arguments, **values):
    """Call the function with those of the values that it takes."""
    taken = inspect.signature(function).parameters
    return function(*arguments, **{name: values[name] for name in taken if name in values})


def prepare_recording(book, parameters):
    """Return the recording, so that what takes long or fails does so before any chapter runs."""
    values = collect_values(parameters)
    with use_package(book):
        from voxelwise import check_settings, load_recording
        recording = call(load_recording, **values)
        check_settings(recording, **values)
        return recording


def save_results(book, parameters, recording, folder):
    """Write what researchers take away from the book, by the settings of the chapters."""
    values = collect_values(parameters)
    with show_time("[results] scores, fields and table"), use_package(book):
        from voxelwise import load_samples
        from voxelwise.results import write_results
        call(write_results, folder, recording, call(load_samples, recording, **values), **values)
    return folder


@contextlib.contextmanager
def hold_folder(folder):
    """Make the folder, and keep other builds out of it until the ``with`` block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / ".lock").exists():
        raise BuildError(f"{show_path(folder)} holds other files; choose a new folder.")
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process
        except BlockingIOError:
            raise BuildError(f"Another build is at work in {show_path(folder)}.") from None
        yield folder


def run_chapter(chapter, values, result):
    """Run one chapter in its own folder, and write the cleaned notebook to ``result``."""
    result.parent.mkdir(parents=True, exist_ok=True)
    so_far = f"The chapter as far as it ran: {show_path(result)}"
    try:
        notebook = papermill.execute_notebook(
            chapter, result, values, cwd=chapter.parent, progress_bar=False, config=ENCRYPTED,
            kernel_name=KERNEL["name"], language="python", extra_arguments=["--log-level=CRITICAL"],
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


def run_chapters(parameters, root, source):
    """Run the chapters in order, and return the paths of the executed notebooks."""
    # A kernel of the same name in the user's own folders would otherwise run the chapters.
    os.environ.update(JUPYTER_PREFER_ENV_PATH="1", JUPYTER_PATH="")
    executed = [source / chapter.relative_to(root) for chapter in parameters]
    for number, (chapter, result) in enumerate(zip(parameters, executed), start=1):
        with show_time(f"[{number}/{len(executed)}] {chapter.stem}"):
            run_chapter(chapter, parameters[chapter], result)
    return executed


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


def stage_pages(root, source):
    """Copy what the pages need, except for the chapters, into a fresh source folder."""
    shutil.rmtree(source, ignore_errors=True)
    pages = [path for path in (root / "book").rglob("*") if path.suffix in PAGE_FILES]
    for path in [root / "_config.yml", root / "_toc.yml", *pages]:
        (source / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / path.relative_to(root))


def render_pages(source, output):
    """Render the staged source, and only when that succeeds put it in place of ``html``."""
    fresh, html, log = output / ".render", output / "html", output / "render.log"
    shutil.rmtree(fresh, ignore_errors=True)
    press = Path(sys.executable).with_name("jupyter-book")
    command = [press, "build", source, "--path-output", fresh, "-W", "--keep-going", "-q"]
    with log.open("w") as file:
        ended = subprocess.run(command, stdout=file, stderr=file)
    if ended.returncode:
        lines = strip_color(log.read_text()).replace(f"{source}/", "").splitlines()
        found = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-10:]
        raise BuildError("\n".join(["Rendering failed:", *found, f"See {show_path(log)}"]))
    if html.exists():
        html.rename(fresh / "older")
    (fresh / "_build" / "html").rename(html)
    shutil.rmtree(fresh)
    return html / "index.html"


def build_book(root, parameters, recording, output):
    """Run the chapters, render the pages, save the results, and print where both are."""
    source, made, failures = output / "source", [], []
    with hold_folder(output):
        stage_pages(root, source)
        if cover := read_cover(run_chapters(parameters, root, source)):
            (source / "book" / "cover.png").write_bytes(cover)
        for step, *arguments in (  # neither needs the other
            (render_pages, source, output),
            (save_results, root / "book", parameters, recording, output / "results"),
        ):
            try:
                made.append(show_path(step(*arguments)))
            except (BuildError, OSError) as error:
                failures.append(str(error))
        print(*reversed(made), sep="\n")  # the page to open comes last
    if failures:
        raise BuildError("\n".join(failures))


def refresh_book(root, parameters):
    """Run the chapters as they are, and store their outputs (and the cover) in ``book``."""
    with hold_folder(root / "_build" / "refresh") as folder:
        executed = run_chapters(parameters, root, folder)
        fresh = dict(zip(parameters, (path.read_bytes() for path in executed)))
        if cover := read_cover(executed):
            fresh[root / "book" / "cover.png"] = cover
        for path, content in fresh.items():
            if changed := (not path.exists() or path.read_bytes() != content):
                beside = path.with_name(f".{path.name}.new")
                beside.write_bytes(content)
                os.replace(beside, path)  # whole or not at all, even when interrupted
            print("refreshed" if changed else "unchanged", path.name)


def parse_arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run the chapters and render the book.")
    add = parser.add_argument
    add("--dataset", help="the recording: its name, or the folder that holds it")
    add("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter")
    add("--output", type=Path, help="folder for the pages [_build/<recording>]")
    add("--refresh", action="store_true", help="only renew the outputs stored in book/")
    options = parser.parse_args()
    if options.refresh and (options.dataset or options.p or options.output):
        parser.error("--refresh runs the chapters as they are: leave out the other options")
    if options.dataset and "dataset" in dict(options.p):
        parser.error("give the recording once: by --dataset or by -p dataset")
    return options


def collect_settings(options, book):
    """Join ``-p`` and ``--dataset``, with folders relative to where the chapters run."""
    settings = dict(options.p) | ({"dataset": options.dataset} if options.dataset else {})
    for name in {"dataset", "data_dir"} & settings.keys():
        if name == "data_dir" or Path(settings[name]).is_dir():
            settings[name] = os.path.relpath(Path(settings[name]).resolve(), book)
    return settings


def main():
    """Run the command line."""
    options = parse_arguments()
    try:
        settings = collect_settings(options, ROOT / "book")
        parameters = share_settings(settings, find_chapters(ROOT))
        recording = prepare_recording(ROOT / "book", parameters)
        if options.refresh:
            refresh_book(ROOT, parameters)
        else:
            output = options.output or ROOT / "_build" / recording.name
            build_book(ROOT, parameters, recording, output.resolve())
    except (BuildError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("Interrupted. What was built before is still in place.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
