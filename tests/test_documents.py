"""The papers of the repository, and what runs on a forge: in step with each other and with what is there."""

import os
import re
import shutil
import subprocess
import warnings
from datetime import date

import pytest
import yaml
from voxelwise import load_run_images
from voxelwise.download import ARCHIVE_BYTES

from conftest import CHAPTERS, ROOT
from press.parameters import read_parameters

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def load(path):
    """A workflow; YAML takes its key `on` for a truth value."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow | {"on": workflow.pop(True)}


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_the_three_workflows():
    assert [path.stem for path in WORKFLOWS] == ["pages", "tests", "weekly"]


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "book/index.md", ".ci/run", *(str(p.relative_to(ROOT)) for p in WORKFLOWS)]
)
def test_every_make_target_that_is_named_exists(name):
    named = re.findall(r"(?:`|run: |^)make ([a-z][a-z-]*)", read(name), re.MULTILINE)
    assert set(named) <= TARGETS
    assert named or name in (".github/workflows/tests.yml", "book/own_data.ipynb")


def test_workflows_run_what_they_are_for():
    ran = {path.stem: [step.get("run", "").strip() for step in steps(load(path))] for path in WORKFLOWS}
    assert "bash .ci/run" in ran["tests"] and "make test" in read(".ci/run").splitlines()
    assert "make book" in ran["pages"]
    download = ran["weekly"].index("make book DATASET=miyawaki2008")
    assert "make links" in ran["weekly"] and ran["weekly"].index("make test-real") > download
    assert "make --keep-going fuzz faults mutants everywhere repeat" in ran["weekly"]


def test_workflows_start_when_they_should():
    on = {path.stem: load(path)["on"] for path in WORKFLOWS}
    assert {"push", "pull_request"} <= on["tests"].keys() & on["pages"].keys()
    assert "push" not in on["weekly"]
    (schedule,) = on["weekly"]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", schedule["cron"])


@pytest.mark.parametrize(
    "target, command",
    [
        ("book", "build_book.py"), ("refresh", "build_book.py --refresh"), ("lab", "-m jupyterlab"),
        ("test", "-m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder"),  # with no path: notebooks, too
        ("test-real", "-m pytest -rs tests/real_recording.py"), ("bench", "-m benchmarks.bench"),
        *((name, f"-m checks.{name}") for name in ("coverage", "everywhere", "faults", "fuzz", "mutants", "repeat")),
    ],
)  # fmt: skip
def test_make_runs_what_a_target_is_for(target, command):
    """What `make` would run, once everything is installed."""
    asked = ["make", "--no-print-directory", "--dry-run", "--old-file=.venv/.installed", target]
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(rf".*\.venv/bin/python {re.escape(command)} *\n", ended.stdout)


def test_a_dataset_for_make_is_handed_on():
    asked = ["make", "--no-print-directory", "--dry-run", "--old-file=.venv/.installed", "book", "DATASET=my folder"]
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == '.venv/bin/python build_book.py --dataset "my folder"\n'


def test_warnings_are_errors():
    with pytest.raises(UserWarning, match="careful"):
        warnings.warn("careful", stacklevel=1)


@each_workflow
def test_python_versions_are_those_of_the_makefile(path):
    lowest, beyond = (int(n) for n in re.search(r"\(3, (\d+), \d+\) <= v < \(3, (\d+)\)", MAKEFILE).groups())
    supported = [f"3.{minor}" for minor in range(lowest, beyond)]
    asked = [step["with"]["python-version"] for step in steps(load(path)) if "setup-python" in step.get("uses", "")]
    assert asked and set(asked) <= {*supported, "${{ matrix.python }}"}
    for job in load(path)["jobs"].values():
        if "strategy" in job:
            assert job["strategy"]["matrix"]["python"] == supported


@each_workflow
def test_actions_are_pinned_by_major_version_and_githubs_own(path):
    used = [step["uses"] for step in steps(load(path)) if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)


@each_workflow
def test_only_the_publishing_job_may_write_and_no_job_runs_for_ever(path):
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"} and "concurrency" in workflow
    may_write = [name for name, job in workflow["jobs"].items() if "permissions" in job]
    assert may_write == (["publish"] if path.stem == "pages" else [])
    most = 240 if path.stem == "weekly" else 60
    assert all(job["timeout-minutes"] <= most for job in workflow["jobs"].values())


def test_pages_are_published_from_the_default_branch_only():
    publish = load(ROOT / ".github" / "workflows" / "pages.yml")["jobs"]["publish"]
    assert publish["permissions"] == {"contents": "write"} and publish["needs"] == "build"
    assert "github.event_name != 'pull_request'" in publish["if"]
    assert "github.ref_name == github.event.repository.default_branch" in publish["if"]


def test_rendering_runs_no_chapter():
    """build_book.py has run the chapters by then: Jupyter Book would run them once more, by settings of its own."""
    assert yaml.safe_load(read("_config.yml"))["execute"] == {"execute_notebooks": "off"}


def test_the_pages_that_are_published_are_those_that_were_built():
    building, publishing = (load(ROOT / ".github/workflows/pages.yml")["jobs"][name]["steps"] for name in ("build", "publish"))
    (kept,) = [step["with"] for step in building if "upload-artifact" in step.get("uses", "")]
    (taken,) = [step["with"] for step in publishing if "download-artifact" in step.get("uses", "")]
    assert kept["path"] == "_build/simulated/html" and kept["if-no-files-found"] == "error"
    assert taken["name"] == kept["name"] and taken["path"] == publishing[-1]["working-directory"]


def test_publishing_puts_the_pages_on_gh_pages_and_nothing_older(tmp_path):
    """The step's own script, twice, with a bare repository in place of the forge."""
    forge, script = tmp_path / "owner" / "book.git", steps(load(ROOT / ".github/workflows/pages.yml"))[-1]["run"]
    subprocess.run(["git", "init", "--quiet", "--bare", forge], check=True)
    (address,) = re.findall(r'"(https://x-access-token:[^"]+)"', script)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_SHA": "0123abc"}
    for pages in (["index.html", "older.html"], ["index.html"]):
        html = tmp_path / "html"
        shutil.rmtree(html, ignore_errors=True)
        (html / "_static").mkdir(parents=True)
        for name in pages:
            (html / name).write_text(name)
        subprocess.run(
            ["bash", "-e", "-c", script.replace(address, str(forge))], cwd=html, env=environment, check=True
        )
    listed = ["git", "-C", forge, "ls-tree", "-r", "--name-only", "gh-pages"]
    assert subprocess.run(listed, capture_output=True, text=True).stdout.split() == [".nojekyll", "index.html"]
    assert address.endswith("${GITHUB_REPOSITORY}.git")


@pytest.fixture
def ci(tmp_path):
    """Run `.ci/run` where only these programs are, and `make` says what it was asked for."""

    def run(**programs):
        (tmp_path / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
        (tmp_path / "bin").mkdir()
        for name, script in {"make": "echo made $*", "id": "echo 0", **programs}.items():
            (tmp_path / "bin" / name.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / "bin" / name.replace("_", "-")).chmod(0o755)
        for name in ("bash", "dirname", "sh"):
            (tmp_path / "bin" / name).symlink_to(shutil.which(name))
        return subprocess.run(
            [tmp_path / "bin" / "bash", tmp_path / ".ci" / "run"],
            env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True,
        )

    return run


def test_ci_takes_the_browser_that_is_there(ci):
    ended = ci(google_chrome="", apt_get="echo installed >&2")
    assert (ended.stdout, ended.stderr) == ("made test\n", "")


def test_ci_installs_a_browser_once_the_lists_are_fresh(ci):
    ended = ci(apt_get='echo "$1 $2" >&2')
    assert ended.stderr == "-qq update\n-qq install\n"
    assert ended.stdout.splitlines() == ["Installed Chromium, for the tests of the pages.", "made test"]


@pytest.mark.parametrize("programs", [{}, {"apt_get": "exit 100"}])
def test_ci_says_so_where_it_cannot_and_runs_the_tests_all_the_same(ci, programs):
    ended = ci(**programs)
    assert ended.returncode == 0 and ended.stdout == "made test\n"
    assert ended.stderr == "There is no Chromium, and it could not be installed: the tests of the pages will be skipped.\n"


def table(text, link):
    """Chapters and their questions, by the rows of a table whose first cells are such links."""
    return re.findall(rf"^\| {link} \| (.*\?) \|$", text, re.MULTILINE)


def test_tables_of_chapters_are_in_step():
    readme = table(read("README.md"), r"\[[^]]*\]\(book/(\w+)\.ipynb\)")
    assert readme == table(read("book/index.md"), r"\{doc\}`(\w+)`")
    assert [name for name, _ in readme] == [path.stem for path in CHAPTERS]


def test_titles_in_the_readme_are_those_of_the_chapters():
    for title, name in re.findall(r"\[([^]]*)\]\(book/(\w+)\.ipynb\)", read("README.md")):
        assert f'"# {title}\\n"' in read(f"book/{name}.ipynb")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_files_that_are_linked_or_named_exist(name):
    text = read(name)
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    named = re.findall(r"`((?:book|tests|benchmarks|press|\.github|\.ci)/[\w./-]*|[A-Z]{4,}\.\w+|build_book\.py)`", text)
    missing = [path for path in linked + named if not (ROOT / path).exists()]
    assert [path for path in missing if "12_name" not in path] == []
    assert linked or named or name == "CHANGELOG.md"


# Numbers, names and options in running text


TEXTS = [*map(read, ("README.md", "CONTRIBUTING.md", "book/index.md"))]


def test_sizes_in_the_text_are_those_of_the_recordings(recording):
    files = (path for path in recording.mask.parents[1].rglob("*") if path.is_file())
    made, downloaded = sum(path.stat().st_size for path in files) / 1e6, ARCHIVE_BYTES / 1e6
    for text in TEXTS:
        assert set(re.findall(r"(\d+) MB", text)) <= {f"{made:.0f}", f"{downloaded:.0f}"}
        assert set(re.findall(r"(\d+ × \d+)", text)) <= {"10 × 10"}
    assert recording.truth is not None and load_run_images(recording)[0].shape[1:] == (10, 10)
    assert f"(`~/nilearn_data`; {made:.0f} MB)" in TEXTS[0] and f"through nilearn ({downloaded:.0f} MB)" in TEXTS[0]
    assert f"once, {downloaded:.0f} MB," in TEXTS[2]


def test_python_in_the_text_is_that_of_the_makefile():
    oldest, beyond = re.search(r"\((\d+, \d+, \d+)\) <= v < \((\d+, \d+)\)", MAKEFILE).groups()
    oldest, newest = oldest.replace(", ", "."), f"3.{int(beyond.partition(', ')[2]) - 1}"
    for text in [*TEXTS, MAKEFILE]:
        assert set(re.findall(r"(\d+\.\d+\.\d+) (?:or newer|to)\b", text)) == {oldest}
    assert set(re.findall(r"to (\d\.\d+)", MAKEFILE)) == {newest}


def test_options_in_the_text_are_parameters_of_a_chapter():
    known = set().union(*(read_parameters(chapter) for chapter in CHAPTERS))
    for text in (TEXTS[0], TEXTS[2]):
        named = re.findall(r"build_book\.py.* -p (\w+) ", text) + re.findall(r" -p (\w+) \d", text)
        assert named and set(named) <= known


def test_code_in_the_readme_runs(small_folder):
    """On a small recording in place of `path/to/folder`, with a lag and folds that fit it."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXTS[0], re.DOTALL | re.MULTILINE)
    names = {}
    exec(code.replace("path/to/folder", str(small_folder)).replace("n_splits=10", "n_splits=4"), names)
    assert names["scores"].shape == (4, names["samples"].responses.shape[1])
    assert names["fields"].shape == (names["samples"].responses.shape[1], 4, 4)


def test_contributing_is_linked_from_the_readme_and_named_in_the_book():
    assert "(CONTRIBUTING.md)" in read("README.md")
    assert "`CONTRIBUTING.md`" in read("book/index.md")


def test_citation_is_of_the_changelogs_version():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors", "license"} <= citation.keys()
    version, when = re.search(r"^## \[(\d+\.\d+\.\d+)\] - (.*)$", read("CHANGELOG.md"), re.MULTILINE).groups()
    assert citation["version"] == version
    if when == "Unreleased":
        assert "date-released" not in citation
    else:
        assert str(citation["date-released"]) == str(date.fromisoformat(when))
    assert citation["title"] == yaml.safe_load(read("_config.yml"))["title"]
