"""What `faults` disturbs: the making of the recording, of the pages, and of the stored outputs.

Each subject has a folder to lose things in, a program that makes them, and says what is wrong with what lies there:
`look` after a fault, `look_after_next` when the next run has ended.
"""

import hashlib
import json
import shutil
import subprocess

import nibabel
import numpy as np

from .short_book import ROOT, copy_book
from .stopping import run

CHAPTER = "book/01_loading_the_data"
MAKE = """
import sys
sys.path.insert(0, "")
from voxelwise import RecordingError, load_recording
try:
    load_recording(data_dir=sys.argv[1])
except RecordingError as error:
    sys.exit(str(error))
"""


def copy_few_voxels(recording, folder):
    """A reader's own recording: ten runs of another one, and every 50th of its voxels."""
    for kind in ("func", "label", "mask"):
        (folder / kind).mkdir(parents=True)
    for path in [*recording.func["random"][:10], *recording.label["random"][:10]]:
        (folder / path.parent.name / path.name).symlink_to(path)
    whole = nibabel.load(recording.mask)
    inside = np.flatnonzero(whole.get_fdata())
    few = np.zeros(whole.shape, dtype=np.uint8)
    few.flat[inside[::50]] = 1
    nibabel.Nifti1Image(few, whole.affine).to_filename(folder / "mask" / "mask.nii.gz")


def digest(folder):
    """Fingerprint of the names and bytes of all files of a folder; None without it."""
    if not folder.is_dir():
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = [str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() for path in files]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


class Subject:
    """What the three have in common."""

    n_aside = 0  # how often what was there waited for the next run to bring it back

    def __init__(self, scratch):
        self.folder, self.log, self.cwd = scratch / "place", scratch / "log.txt", scratch / "book"
        self.named = self.folder  # where it says that a disk is full

    def run(self, at_step=None):
        """Let it work undisturbed."""
        return run(self.program, self.log, self.cwd, at_step)

    def look_after_next(self):
        """Run again, and say what is wrong then."""
        ended = self.run()
        if ended.wait():
            return [f"the next run ended with {ended.wait()}: {ended.printed[-300:]}"]
        return [f"after the next run: {fault}" for fault in self.look_fresh()]


class Recording(Subject):
    """The simulated recording, made into a fresh folder."""

    name = "Making the recording"
    refusal = None  # two at once make one
    spaces = (1_000_000, 20_000_000, 40_000_000)

    def __init__(self, scratch):
        super().__init__(scratch)
        self.cwd = ROOT / "book"
        (scratch / "make.py").write_text(MAKE)
        self.program = [scratch / "make.py", self.folder]
        self.reference = None

    def reset(self):
        """Forget the recording; the folder itself may be a small disk."""
        self.folder.mkdir(exist_ok=True)
        for entry in self.folder.iterdir():
            shutil.rmtree(entry)

    def made(self):
        """Folders of whole recordings, or what looks like them."""
        return list(self.folder.glob("voxelwise_simulated/[!.]*/miyawaki2008"))

    def remember(self):
        """Hold all that follows against what lies there now."""
        self.reference = digest(*self.made())

    def look(self, killed=True):
        """Nothing or the whole; one that was killed may leave its temporary folder."""
        faults = ["another recording, or part of one" for made in self.made() if digest(made) != self.reference]
        left = list(self.folder.glob("voxelwise_simulated/.*"))
        if [path.name for path in left if not path.name.startswith(".making-")] or len(left) > killed:
            faults.append(f"left behind: {', '.join(path.name for path in left)}")
        return faults

    def look_fresh(self):
        """One whole recording."""
        return self.look() + ([] if len(self.made()) == 1 else [f"{len(self.made())} recordings"])


class Pages(Subject):
    """The pages and results, made anew where earlier ones are."""

    name = "Making the pages"
    refusal = "Another build is at work"
    spaces = (100_000, 1_000_000, 10_000_000, "[results]")  # the last: filled as the results begin

    def __init__(self, scratch, recording):
        super().__init__(scratch)
        copy_book(self.cwd, CHAPTER)
        copy_few_voxels(recording, scratch / "few")
        self.program = [self.cwd / "build_book.py", "--output", self.folder, "--dataset", scratch / "few"]
        self.edition, self.earlier, self.names, self.results = 0, None, None, None
        self.reset()

    def reset(self):
        """Take what is there as the earlier pages, and have the next ones differ."""
        self.earlier = digest(self.folder / "html")
        self.edition += 1
        (self.cwd / "book" / "index.md").write_text(f"# Home\n\nEdition {self.edition}.\n")

    def list_pages(self):
        """Names of all files of the pages."""
        html = self.folder / "html"
        return sorted(str(path.relative_to(html)) for path in html.rglob("*") if path.is_file())

    def remember(self):
        """Hold all that follows against what lies there now."""
        self.names, self.results = self.list_pages(), digest(self.folder / "results")

    def look(self, killed=True):
        """The earlier pages or the new ones, and the results, which are the same each time."""
        faults = []
        if digest(self.folder / "html") != self.earlier and not self.is_aside("html", ".render/older", self.earlier):
            faults = self.look_at_pages()
        return faults + ([] if self.is_aside("results", ".results.old", self.results) else self.look_at_results())

    def is_aside(self, name, aside, earlier):
        """Whether a folder is gone but whole beside, from where the next run, even one that fails, takes it back."""
        waits = not (self.folder / name).exists() and digest(self.folder / aside) == earlier
        self.n_aside += waits
        return waits

    def look_at_results(self):
        """What is wrong with the results."""
        return [] if digest(self.folder / "results") == self.results else ["results are gone or in part"]

    def look_at_pages(self):
        """What is wrong with the new pages."""
        if self.list_pages() != self.names:
            return [f"{len(self.list_pages())} files of pages, expected {len(self.names)}"]
        pages = sorted((self.folder / "html" / "book").glob("*.html"))
        faults = [f"{page.name} is cut" for page in pages if not page.read_text().rstrip().endswith("</html>")]
        if f"Edition {self.edition}." not in (self.folder / "html" / "book" / "index.html").read_text():
            faults.append("pages of another edition")
        return faults

    def look_fresh(self):
        """The new pages, the results, and nothing else but what a build always leaves."""
        faults = self.look_at_pages() + self.look_at_results()
        left = {path.name for path in self.folder.iterdir()} - {".lock", "html", "render.log", "results", "source"}
        return faults + [f"left behind: {name}" for name in sorted(left)]


class Outputs(Subject):
    """The outputs that the chapters store, renewed where they had been altered."""

    name = "Refreshing the outputs"
    refusal = "Another build is at work"
    spaces = (0, 50_000)

    def __init__(self, scratch):
        super().__init__(scratch)
        copy_book(self.cwd, CHAPTER)
        self.folder, self.program = self.cwd / "book", [self.cwd / "build_book.py", "--refresh"]
        self.named, self.chapter, self.fresh = self.cwd, self.cwd / f"{CHAPTER}.ipynb", None
        notebook = json.loads(self.chapter.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                output["text"] = ["altered\n"]
        self.altered = json.dumps(notebook, indent=1).encode()
        self.reset()
        for step in (["init"], ["add", "."], ["commit", "--message", "x"]):
            git = ["git", "-c", "user.name=x", "-c", "user.email=x"]
            subprocess.run([*git, *step], cwd=self.cwd, check=True, capture_output=True)

    def reset(self):
        """Store altered outputs."""
        self.chapter.write_bytes(self.altered)

    def remember(self):
        """Hold all that follows against what lies there now."""
        self.fresh = self.chapter.read_bytes()

    def look(self, killed=True):
        """The old chapter or the new one; one that was killed may leave the file that it was writing."""
        faults = [] if self.chapter.read_bytes() in (self.altered, self.fresh) else ["the chapter is cut"]
        return faults + [line for line in self.list_changes() if not killed or not line.endswith(".new")]

    def list_changes(self):
        """What git has to say, but for the chapter."""
        git = ["git", "status", "--porcelain", "--untracked-files=all"]
        said = subprocess.run(git, cwd=self.cwd, check=True, capture_output=True, text=True).stdout
        return [line for line in said.splitlines() if not line.endswith(f"{CHAPTER}.ipynb")]

    def look_fresh(self):
        """The new chapter and nothing else."""
        faults = [] if self.chapter.read_bytes() == self.fresh else ["the chapter is not the new one"]
        return faults + self.list_changes()
