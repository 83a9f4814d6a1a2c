"""The parameters of the chapters: what each declares, and what was set at the command line."""

import ast

from papermill.translators import PythonTranslator

from tools.press import BuildError
from tools.press.chapters import tagged_cells


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
    """Read the text given for a parameter as a value of the type that the chapter declares."""
    expected = parameter.inferred_type_name
    value = text if expected == "str" else parse_literal(text)
    if (found := type(value).__name__) != expected and (found, expected) != ("int", "float"):
        wanted = f"{chapter.name} expects {expected} (its default is {parameter.default})"
        raise BuildError(f"-p {parameter.name} {text}: {wanted}, not {found}.")
    return value


def share_settings(settings, declared):
    """Return, for each chapter, the values of those settings that are parameters of it."""
    known = sorted(set().union(*declared.values()))
    for name in settings.keys() - known:
        raise BuildError(f"No chapter has a parameter {name!r}. They have: {', '.join(known)}.")
    return {
        chapter: {n: parse_value(settings[n], own[n], chapter) for n in own if n in settings}
        for chapter, own in declared.items()
    }


def collect_values(declared, parameters):
    """Return the value of every parameter of the chapters: its default, or what was set instead."""
    values = {}
    for chapter, own in parameters.items():
        values |= {n: parse_literal(p.default) for n, p in declared[chapter].items()} | own
    return values
