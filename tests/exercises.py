"""The questions at the end of a chapter: how they are written, and how their answers are run.

An answer holds pairs of a ``python`` block, which sets parameters of the chapter, and a ``text`` block, which quotes
what the chapter prints then. A ``text`` block before any ``python`` block quotes what is printed by default. ``...``
stands for what is left out: within a line, or as a line of its own for any number of lines.
"""

import ast
import contextlib
import copy
import functools
import re
from dataclasses import dataclass

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from conftest import ROOT

HEADING = "## Try it yourself"
ANSWER = re.compile(r"^<details>\n<summary>Answer</summary>\n\n(.*?)\n\n</details>$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEVER = re.compile(r"(?!)")
LABEL = re.compile(r"^\*\*\d\. ", re.MULTILINE)  # of a question
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")

#: Run once in the kernel: what chapters compute from the same recording with the same settings is kept.
REMEMBER = """
import inspect
import voxelwise

def remember(function):
    known, signature = {}, inspect.signature(function)
    def call(data, *settings, **named):
        import joblib  # here, since %reset takes the names of this cell away
        bound = signature.bind(data, *settings, **named)
        bound.apply_defaults()
        key = getattr(data, "name", id(data)), joblib.hash(bound.args[1:])
        if key not in known:
            known[key] = data, function(data, *settings, **named)  # data is kept, so that no other gets its id
        result = known[key][1]
        return result.copy() if hasattr(result, "copy") else result
    return call

for name in ("load_samples", "fit_receptive_fields", "fit_population_fields"):
    setattr(voxelwise, name, remember(getattr(voxelwise, name)))
"""


@dataclass(frozen=True)
class Exercise:
    """A question and its answer; ``steps`` are pairs of a change (empty: none) and the text that is printed then."""

    question: str
    answer: str

    @property
    def blocks(self):
        return [(match[1], match[2]) for match in BLOCK.finditer(self.answer)]

    @property
    def steps(self):
        kinds = ["text", *(kind for kind, _ in self.blocks)]  # a block "python" must be followed by its "text"
        assert "text" == kinds[-1] and ("python", "python") not in zip(kinds, kinds[1:]), self.answer
        change, steps = "", []
        for kind, content in self.blocks:
            if kind == "text":
                steps.append((change, content))
            else:
                change = content
        return steps


@functools.cache
def read_chapter(path):
    return nbformat.read(path, as_version=4)


def find_section(notebook):
    """The text under the heading, up to what comes next; None without such a heading."""
    sections = [cell.source for cell in notebook.cells if cell.source.startswith(HEADING)]
    assert len(sections) < 2
    return sections[0].partition("\n**Next:**")[0] if sections else None


def read_exercises(notebook):
    """The exercises of a chapter: a question is what stands between two answers."""
    pieces = ANSWER.split(find_section(notebook) or "")
    return [Exercise(question, answer) for question, answer in zip(pieces[0::2], pieces[1::2])]


def find_parameters(notebook):
    """The cell of parameters, and the type and value of each parameter, by name."""
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = ast.parse(cell.source).body
    return cell, {line.target.id: (line.annotation.id, ast.literal_eval(line.value)) for line in lines}


def numbers(text):
    return {float(number) for number in NUMBER.findall(text)}


def find_faults(exercise, notebook):
    """What is wrong with an exercise as it is written, before anything is run."""
    _, parameters = find_parameters(notebook)
    faults = [] if "?" in exercise.question else ["no question"]
    faults += [] if any(change for change, _ in exercise.steps) else ["no parameter to change"]
    faults += [f"block of {kind!r}" for kind, _ in exercise.blocks if kind not in ("python", "text")]
    for change, _ in exercise.steps:
        for line in ast.parse(change).body:
            name, value = ast.unparse(line.targets[0]), ast.literal_eval(line.value)
            if name not in parameters:
                faults.append(f"{name} is no parameter")
            elif parameters[name] == (parameters[name][0], value):
                faults.append(f"{name} is left at its default")
            elif type(value).__name__ != parameters[name][0]:
                faults.append(f"{name} is of type {parameters[name][0]}")
    known = numbers(" ".join([content for _, content in exercise.blocks] + [repr(v) for v in parameters.values()]))
    prose = LABEL.sub("", exercise.question) + BLOCK.sub("", exercise.answer)
    return faults + [f"{number:g} stands in no block" for number in sorted(numbers(prose) - known)]


def as_pattern(quoted):
    """Regular expression of whole printed lines, one after the other."""
    lines = [".*".join(map(re.escape, line.split("..."))) for line in quoted.splitlines()]
    return re.compile("^" + "".join(r"(?:.*\n)*?" if line == ".*" else f"{line}\\n" for line in lines), re.MULTILINE)


def printed_by(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


@contextlib.contextmanager
def start_kernel():
    """A client whose kernel runs one chapter after the other: the imports take longer than many an answer."""
    config = Config(KernelManager={"transport_encryption": "auto"})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    client = NotebookClient(
        nbformat.v4.new_notebook(metadata=metadata), timeout=None, config=config,
        resources={"metadata": {"path": str(ROOT / "book")}}, extra_arguments=["--log-level=CRITICAL"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        patch.setenv("JUPYTER_PATH", "")
        with client.setup_kernel():
            run_cells(client, [nbformat.v4.new_code_cell(REMEMBER)])
            yield client


def run_cells(client, cells, pattern=NEVER):
    """What the code cells print, until the pattern is found."""
    client.nb = nbformat.v4.new_notebook(cells=cells)
    printed = ""
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type == "code":
            printed += printed_by(client.execute_cell(cell, index))
            if pattern.search(printed):
                break
    return printed


def run_until(client, notebook, change, pattern):
    """What the chapter prints with changed parameters, until the pattern is found or the chapter ends."""
    notebook = copy.deepcopy(notebook)
    cell, _ = find_parameters(notebook)
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(change))
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    return run_cells(client, notebook.cells, pattern)


def check_answer(client, notebook, exercise):
    """Fail unless everything that the answer quotes is printed."""
    for change, quoted in exercise.steps:
        pattern = as_pattern(quoted)
        printed = (
            run_until(client, notebook, change, pattern) if change else "".join(map(printed_by, notebook.cells))
        )
        assert pattern.search(printed), f"{change or 'By default'}\nquoted:\n{quoted}\nprinted:\n{printed}"
