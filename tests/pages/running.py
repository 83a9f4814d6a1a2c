"""Chapters run with other parameters, one after the other in one kernel: imports take longer than many a chapter."""

import re

import nbformat

from tests.notebooks import ROOT

#: Run once in the kernel: what chapters compute of the same recording with the same settings is computed once.
PREPARE = """
import gc
import joblib
import voxelwise

gc.freeze()  # so that %reset looks through what a chapter made, and not through all libraries
get_ipython().display_formatter.active_types = ["text/plain", "text/markdown"]
for name in "load_samples", "cross_validate_ridge", "search_alpha", "fit_receptive_fields", "fit_prf", "noise_ceiling":
    setattr(voxelwise, name, joblib.Memory({folder!r}, verbose=0).cache(getattr(voxelwise, name)))
"""
#: The page on one's own data leaves for a folder that is removed with its names.
RETURN = f"import os; os.chdir({str(ROOT / 'book')!r})"
NEVER = re.compile(r"(?!)")


def read_chapter(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed_in(notebook):
    """The text that the stored outputs of a notebook hold: what was printed, captions, and tables line by line."""
    return "".join(map(read_told, [output for cell in code_cells(notebook) for output in cell.outputs]))


def read_told(output):
    data = output.get("data", {})
    told = data.get("text/markdown") or data.get("text/plain")
    return f"{told}\n" if told else output.get("text", "")


def run_cells(client, sources, pattern=NEVER):
    """What the cells print, until the pattern is found."""
    client.nb = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    for index, cell in enumerate(client.nb.cells):
        client.execute_cell(cell, index)
        if pattern.search(printed_in(client.nb)):
            break
    return printed_in(client.nb)


def run_chapter(client, notebook, parameters, pattern=NEVER):
    """What a chapter prints, with other values of its parameters, until the pattern is found."""
    first, *others = [cell.source for cell in code_cells(notebook)]  # the first declares them
    change = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    return run_cells(client, [RETURN, "%reset -f", first, change, *others], pattern)
