"""The command line, and the two things that it does: build the book, or refresh the outputs stored in it."""

import argparse
import contextlib
import hashlib
import inspect
import os
import sys
from pathlib import Path

from tools.press import BuildError
from tools.press.chapters import find_chapters, read_cover, run_chapters, use_own_settings
from tools.press.pages import hold_folder, rendering, stage_pages
from tools.press.parameters import collect_values, read_parameters, share_settings
from tools.press.warm import warm_up
from voxelwise import load_recording, load_samples, write_results
from voxelwise.files import replace_file
from voxelwise.inference.permutation import check_permutations

ROOT = Path(__file__).resolve().parents[2]


def build_book(root, parameters, recording, values, output):
    """Run the chapters, render the pages while the results are saved, and print where both are."""
    source, results = output / "source", output / "results"
    with hold_folder(output):
        stage_pages(root, source)
        run_chapters(parameters, root, source)
        print("Saving the results, rendering the pages", flush=True)
        with rendering(source, output):
            save_results(recording, values, results)
            print(results, flush=True)
        print(output / "html" / "index.html")


def refresh_book(root, parameters):
    """Run the chapters as they are, and store their outputs (and the cover) in ``book``."""
    with hold_folder(root / "_build" / "refresh") as folder:
        executed = run_chapters(parameters, root, folder)
        fresh = {path: ran.read_bytes() for path, ran in zip(parameters, executed, strict=True)}
        if cover := read_cover(executed):
            fresh[root / "book" / "cover.png"] = cover
        for path, content in fresh.items():
            print("refreshed" if replace_file(path, content) else "unchanged", path.name)


def prepare_recording(book, values):
    """Return the recording, so that what takes long or fails does so before any chapter runs."""
    try:
        if {"n_permutations", "rate"} <= values.keys():  # else too few are refused only after all of them were made
            check_permutations(values["n_permutations"], values["rate"])
        with contextlib.chdir(book):  # paths are relative to it
            return call(load_recording, **values)
    except ValueError as error:  # a RecordingError among them
        raise BuildError(str(error)) from None


def save_results(recording, values, folder):
    """Write what researchers take away from the book, by the settings of the chapters."""
    folds = {"cv": values["n_splits"]} if "n_splits" in values else {}  # the chapters' name for it
    call(write_results, folder, recording, call(load_samples, recording, **values), **values | folds)


def call(function, *arguments, **values):
    """Call the function with those of the values that it takes."""
    taken = inspect.signature(function).parameters
    return function(*arguments, **{name: values[name] for name in taken if name in values})


def parse_arguments(arguments):
    parser = argparse.ArgumentParser("build_book.py", description="Run the chapters and render the book.")
    add = parser.add_argument
    add("--dataset", help="the recording: its name, or the folder that holds it")
    add("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter")
    add("--output", type=Path, help="folder for the pages [_build/<recording>]")
    add("--refresh", action="store_true", help="only renew the outputs stored in book/")
    options = parser.parse_args(arguments)
    if options.refresh and (options.p or (options.dataset, options.output) != (None, None)):
        raise BuildError("--refresh runs the chapters as they are: leave out the other options.")
    return options


def collect_settings(options, book):
    """Join ``-p`` and ``--dataset``, with folders relative to where the chapters run."""
    settings = dict(options.p) | ({"dataset": options.dataset} if options.dataset is not None else {})
    for name in {"dataset", "data_dir"} & settings.keys():
        folder = Path(settings[name]).expanduser()
        if name == "data_dir" or folder.is_dir():
            settings[name] = os.path.relpath(folder.resolve(), book)
    return settings


def name_output(book, recording, dataset="simulated", **others):
    """Return the folder's name for a recording: of one's own, no two share one, and none takes that of another kind."""
    if not (book / dataset).is_dir():
        return recording.name
    place = hashlib.sha256(str((book / dataset).resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{recording.name}-{place[:6]}"


def main(arguments=None):
    """Do what the command line says, and return the exit code."""
    try:
        options = parse_arguments(arguments)
        use_own_settings()
        warm_up()
        settings = collect_settings(options, ROOT / "book")
        declared = {chapter: read_parameters(chapter) for chapter in find_chapters(ROOT)}
        parameters = share_settings(settings, declared)
        values = collect_values(declared, parameters)
        recording = prepare_recording(ROOT / "book", values)
        if options.refresh:
            refresh_book(ROOT, parameters)
        else:
            output = (options.output or ROOT / "_build" / name_output(ROOT / "book", recording, **values)).resolve()
            build_book(ROOT, parameters, recording, values, output)
    except (BuildError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What was built before is still in place.", file=sys.stderr)
        return 130
    return 0
