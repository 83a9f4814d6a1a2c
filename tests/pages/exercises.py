"""The questions at the end of a chapter: how they are written, and how their answers are run.

An answer holds pairs of a ``python`` block, which sets parameters of the chapter, and a ``text`` block, which quotes
what the chapter prints then. A ``text`` block before any ``python`` block quotes what is printed by default. ``...``
stands for what is left out: within a line, or as a line of its own for any number of lines.
"""

import ast
import re
from dataclasses import dataclass

from tests.pages.running import find_parameters, printed_in, run_until

HEADING = "## Try it yourself"
ANSWER = re.compile(r"^<details>\n<summary>Answer</summary>\n\n(.*?)\n\n</details>$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LABEL = re.compile(r"^\*\*\d\. ", re.MULTILINE)  # of a question
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")


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
        assert kinds[-1] == "text" and ("python", "python") not in zip(kinds, kinds[1:]), self.answer
        change, steps = "", []
        for kind, content in self.blocks:
            if kind == "text":
                steps.append((change, content))
            else:
                change = content
        return steps


def find_section(notebook):
    """The text under the heading, up to what comes next; None without such a heading."""
    sections = [cell.source for cell in notebook.cells if cell.source.startswith(HEADING)]
    assert len(sections) < 2
    return sections[0].partition("\n**Next:**")[0] if sections else None


def read_exercises(notebook):
    """The exercises of a chapter: a question is what stands between two answers."""
    pieces = ANSWER.split(find_section(notebook) or "")
    return [Exercise(question, answer) for question, answer in zip(pieces[0::2], pieces[1::2])]


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


def check_answer(client, notebook, exercise):
    """Fail unless everything that the answer quotes is printed."""
    for change, quoted in exercise.steps:
        pattern = as_pattern(quoted)
        printed = run_until(client, notebook, change, pattern) if change else printed_in(notebook)
        assert pattern.search(printed), f"{change or 'By default'}\nquoted:\n{quoted}\nprinted:\n{printed}"
