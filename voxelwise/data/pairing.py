"""Which label file belongs to which run: what their names say, never luck."""

import re


def pair_runs(runs, labels):
    """The label file of each run, or none; and if none, the names of those without a clear partner.

    What tells names of both folders apart counts: words, entities and numbers, or else bare numbers (run3, stim03).
    """
    sides = [[_marks(stem(path)) for path in paths] for paths in (runs, labels)]
    for view in (set, _numbers):
        found = _match(*([view(marks) for marks in side] for side in sides))
        clear = {run: label for run, label in found.items() if not _contradict(sides[0][run], sides[1][label])}
        if len(clear) == len(runs) == len(labels):
            return [labels[clear[run]] for run in range(len(runs))], []
    return [], [path.name for n, path in enumerate(runs) if n not in clear] + [
        path.name for n, path in enumerate(labels) if n not in clear.values()
    ]


def stem(path):
    """The name of a file without its suffixes."""
    return path.name.removesuffix(".gz").rpartition(".")[0]


def _marks(name):
    """What a name says: pairs of a key and a value, a number or a word; the key is empty where there is none."""
    marks = set()
    for part in re.split(r"[_.\s]+", name.lower()):
        entity = re.fullmatch(r"([^\W\d]+)-(\w+)", part)
        if entity:
            marks.add((entity[1], int(entity[2]) if entity[2].isdecimal() else entity[2]))
            continue
        for key, number, word in re.findall(r"([^\W\d]*)(\d+)|([^\W\d]+)", part):
            marks.add(("", word) if word else (key, int(number)))
    return marks


def _numbers(marks):
    """The numbers and entities among the marks, whatever their keys."""
    return {value for key, value in marks if key or not isinstance(value, str)}


def _telling(side):
    """The marks of each name without those that all names of its side have."""
    return [marks - set.intersection(*side) for marks in side]


def _match(runs, labels):
    """For runs whose marks decide it, the label file with the same marks."""
    sides = _telling(runs), _telling(labels)
    shared = set().union(*sides[0]) & set().union(*sides[1])
    of_run, of_label = ([frozenset(marks & shared) for marks in side] for side in sides)
    pairs = {}
    for number, marks in enumerate(of_run):
        if of_run.count(marks) == of_label.count(marks) == 1:
            partner = of_label.index(marks)
            # Left over on both sides: partners only if one of the two names says nothing of its own.
            if marks or not (sides[0][number] and sides[1][partner]):
                pairs[number] = partner
    return pairs


def _contradict(one, other):
    """Whether two names give an entity different values."""
    keys = {key for key, _ in one if key} & {key for key, _ in other}
    return any(not {mark for mark in one if mark[0] == key} & other for key in keys)
