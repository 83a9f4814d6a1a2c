"""The questions at the end of the chapters: what an answer quotes is printed, and each of its numbers has a source.

In an answer, a ``text`` block quotes what the chapter prints with the parameters of the ``python`` block before it, or
else by default. ``...`` stands for what is left out: within a line, or as a line of its own for any number of lines.
"""

import ast
import os
import re

import nbformat
import pytest

from tests.notebooks import NOTEBOOKS
from tests.pages.running import printed_in, read_chapter, run_chapter
from tools.press.parameters import parse_literal, read_parameters

ANSWER = re.compile(r"^<details>\n<summary>Answer</summary>\n\n(.*?)\n\n</details>$", re.DOTALL | re.MULTILINE)
SOLUTION = re.compile(r"^<summary>Solution</summary>\n\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\([^)]*\)")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
#: All answers and solutions take minutes, so only CI and the weekly run try them; else the quickest chapter's do.
CHOSEN = NOTEBOOKS if "ALL_ANSWERS" in os.environ else NOTEBOOKS[-1:]


def read_text(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def read_answers(notebook):
    """The answers of a chapter, each with its steps: what is set, by name (nothing by default), and what is quoted."""
    answers = []
    for text in ANSWER.findall(read_text(notebook)):
        settings, steps = {}, []
        for kind, content in BLOCK.findall(text):
            if kind == "python":
                lines = ast.parse(content).body
                settings = {ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in lines}
            elif kind == "text":
                steps.append((settings, content))
        answers.append((text, steps))
    return answers


def as_pattern(quoted):
    """Regular expression of whole printed lines, one after the other."""
    lines = [".*".join(map(re.escape, line.split("..."))) for line in quoted.splitlines()]
    return re.compile("^" + "".join(r"(?:.*\n)*?" if line == ".*" else f"{line}\\n" for line in lines), re.MULTILINE)


def numbers(text):
    return set(map(float, NUMBER.findall(text)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_answers_set_parameters_and_quote_what_is_stored(path):
    notebook, parameters = read_chapter(path), read_parameters(path)
    for text, steps in read_answers(notebook):
        for settings, quoted in steps:
            for name, value in settings.items():
                assert parameters[name].inferred_type_name == type(value).__name__, (name, text)
                assert parse_literal(parameters[name].default) != value, (name, text)
            assert settings or as_pattern(quoted).search(printed_in(notebook)), quoted
        defaults = [parameter.default for parameter in parameters.values()]
        known = numbers(" ".join([*(content for _, content in BLOCK.findall(text)), *defaults]))
        assert numbers(LINK.sub("", BLOCK.sub("", text))) <= known, f"A number of the text stands in no block:\n{text}"


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.stem)
def test_a_solution_finds_what_the_chapter_found(path, client):
    notebook = read_chapter(path)
    for solution in SOLUTION.findall(read_text(notebook)):
        assert "assert " in solution
        own = [*notebook.cells, nbformat.v4.new_code_cell(solution)]
        run_chapter(client, nbformat.v4.new_notebook(cells=own), {})  # a failed assertion ends it with an error


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.stem)
def test_an_answer_quotes_what_the_chapter_prints(path, client):
    notebook = read_chapter(path)
    for settings, quoted in (step for _, steps in read_answers(notebook) for step in steps if step[0]):
        pattern = as_pattern(quoted)
        printed = run_chapter(client, notebook, settings, pattern)
        assert pattern.search(printed), f"{path.stem} with {settings}\nquoted:\n{quoted}\nprinted:\n{printed}"
