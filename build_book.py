"""Run the chapters of the book on a recording and render the pages: `python build_book.py -h`."""

import argparse
import os
import sys
from pathlib import Path

from tools.press.analysis import prepare_recording, save_results
from tools.press.chapters import find_chapters, read_cover, run_chapters
from tools.press.colab import add_colab_cell
from tools.press.pages import hold_folder, render_pages, restore_pages, stage_pages
from tools.press.parameters import collect_values, read_parameters, share_settings
from tools.press.repository import find_address
from tools.press.status import describe_build, fill_status, list_changes
from tools.press.terminal import BuildError, explain_error, show_path

ROOT = Path(__file__).resolve().parent


def complete_source(source, runs, table, address):
    """Add to the staged source what is known only after the chapters ran."""
    if cover := read_cover([run.notebook for run in runs]):
        (source / "book" / "cover.png").write_bytes(cover)
    fill_status(source / "book" / "status.md", table)
    for run in runs if address else []:
        add_colab_cell(run.notebook, address)


def build_book(root, declared, parameters, recording, output):
    """Run the chapters, render the pages, save the results, and print where both are."""
    source, made, failures = output / "source", [], []
    values, address = collect_values(declared, parameters), find_address(root)
    with hold_folder(output):
        restore_pages(output)
        stage_pages(root, source, address)
        runs = run_chapters(parameters, root, source)
        changed = list_changes(declared, parameters)
        complete_source(source, runs, describe_build(root, runs, recording.name, changed), address)
        for step, *arguments in (  # neither needs the other
            (render_pages, source, output),
            (save_results, root / "book", values, recording, output / "results"),
        ):
            try:
                made.append(show_path(step(*arguments)))
            except (BuildError, OSError) as error:
                failures.append(explain_error(error, output))
        print(*reversed(made), sep="\n")  # the page to open comes last
    if failures:
        raise BuildError("\n".join(failures))


def put_in_place(content, path):
    """Write a file whole or not at all, even when interrupted, and return whether it changed."""
    beside = path.with_name(f".{path.name}.new")
    try:
        if changed := (not path.exists() or path.read_bytes() != content):
            beside.write_bytes(content)
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)  # of a full disk, or of a run that was killed
    return changed


def refresh_book(root, parameters):
    """Run the chapters as they are, and store their outputs (and the cover) in ``book``."""
    with hold_folder(root / "_build" / "refresh") as folder:
        executed = [run.notebook for run in run_chapters(parameters, root, folder)]
        fresh = dict(zip(parameters, (path.read_bytes() for path in executed)))
        if cover := read_cover(executed):
            fresh[root / "book" / "cover.png"] = cover
        for path, content in fresh.items():
            changed = put_in_place(content, path)
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
    output = ROOT
    try:
        settings = collect_settings(options, ROOT / "book")
        declared = {chapter: read_parameters(chapter) for chapter in find_chapters(ROOT)}
        parameters = share_settings(settings, declared)
        recording = prepare_recording(ROOT / "book", collect_values(declared, parameters))
        if options.refresh:
            refresh_book(ROOT, parameters)
        else:
            output = (options.output or ROOT / "_build" / recording.name).resolve()
            build_book(ROOT, declared, parameters, recording, output)
    except (BuildError, OSError) as error:
        sys.exit(explain_error(error, output))
    except KeyboardInterrupt:
        print("Interrupted. What was built before is still in place.", file=sys.stderr)
        sys.stderr = open(os.devnull, "w")  # Python would go on to tell of all that is abandoned
        sys.exit(130)


if __name__ == "__main__":
    main()
