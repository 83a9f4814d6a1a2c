"""Bad archives in place of the recording that is downloaded: unpacked whole, or refused; nothing else is touched."""

import gzip
import shutil
import tarfile

import numpy as np
from nilearn.datasets._utils import uncompress_file
from voxelwise import RecordingError, download

from .fuzz_inputs import cut, flip, pick

#: As small as they can be for an archive that is mostly made of what cannot be compressed further.
CONTENTS = {
    name: np.random.default_rng(len(name)).bytes(3000)
    for name in ("func/run.nii.gz", "label/run.csv", "mask/mask.nii.gz", "bg.nii.gz")
}
SENTINEL = b"This was here before."


def member(name, kind=tarfile.REGTYPE, content=b"owned", link="", size=None):
    """A member of an archive, and what is in it."""
    about = tarfile.TarInfo(name)
    about.type, about.linkname, about.size = kind, link, len(content) if size is None else size
    return about, content


GOOD = [member(name, content=content) for name, content in CONTENTS.items()]
UNSAFE = [
    member("../sentinel"), member("../../sentinel"), member("func/../../../sentinel"), member("{outside}/sentinel"),
    member("func", tarfile.SYMTYPE, b"", ".."), member("link", tarfile.SYMTYPE, b"", "{outside}/sentinel"),
    member("inside", tarfile.SYMTYPE, b"", "bg.nii.gz"), member("hard", tarfile.LNKTYPE, b"", "bg.nii.gz"),
    member("hard", tarfile.LNKTYPE, b"", "{outside}/sentinel"), member("device", tarfile.CHRTYPE, b""),
    member("disk", tarfile.BLKTYPE, b""), member("pipe", tarfile.FIFOTYPE, b""), member("bg.nii.gz"),
    member("./bg.nii.gz"), member("bomb", content=bytes(10**6)), member("cut", size=10**9),
]  # fmt: skip


def pack_members(members, outside):
    """A tar of members, whose names may lead to a folder outside; not compressed."""
    packed = b""
    for about, content in members:
        name, link = (text.format(outside=outside) for text in (about.name, about.linkname))
        header = about.replace(name=name, linkname=link, deep=False).tobuf(tarfile.GNU_FORMAT)
        packed += header + content + bytes(-len(content) % 512)
    return packed + bytes(1024)


def unharmed(rng, outside):
    return gzip.compress(pack_members(GOOD, outside))


def cut_or_flipped(rng, outside):
    return pick(rng, [cut, flip])(rng, unharmed(rng, outside))


def flipped_inside(rng, outside):
    return gzip.compress(pick(rng, [cut, flip])(rng, pack_members(GOOD, outside)), compresslevel=1)


def unsafe_member(rng, outside):
    members = list(GOOD)
    members.insert(rng.integers(len(members) + 1), pick(rng, UNSAFE))
    return gzip.compress(pack_members(members, outside), compresslevel=1)


#: Kind of input -> its function, its share of all inputs, and whether what is unpacked must be the good content.
KINDS = {
    "Archive, nothing wrong": (unharmed, 1, True), "Archive, cut off or bits flipped": (cut_or_flipped, 3, True),
    "Archive, bits flipped before compression": (flipped_inside, 3, False),
    "Archive, unsafe members": (unsafe_member, 3, True),
}  # fmt: skip


def judge(folder, kind, rng):
    """"right", "refused", or what else came of an archive that takes the place of the download."""
    shutil.rmtree(folder, ignore_errors=True)
    outside, target = folder / "outside", folder / "data" / download.NAME
    workspace = target / "workspace"
    outside.mkdir(parents=True)
    workspace.mkdir(parents=True)
    (outside / "sentinel").write_bytes(SENTINEL)
    archive = KINDS[kind][0](rng, outside)

    def fetch(data_dir, **options):
        place = data_dir / download.NAME / "miyawaki2008.tgz"
        place.parent.mkdir()
        place.write_bytes(archive)
        uncompress_file(place, verbose=0)

    download.FILES, download.ARCHIVE_BYTES, download.fetch_miyawaki2008 = tuple(CONTENTS), len(archive), fetch
    try:
        download._download(workspace, target)
        outcome = "right"
    except RecordingError:
        outcome = "refused"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    shutil.rmtree(workspace)
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    others = [path for path in folder.rglob("*") if target not in path.parents]
    around = {str(path.relative_to(folder)) for path in others} - {"data", "outside"}
    if around != {f"data/{download.NAME}", "outside/sentinel"} or (outside / "sentinel").read_bytes() != SENTINEL:
        return f"wrote outside: {sorted(around)}"
    if set(found) != (set(CONTENTS) if outcome == "right" else set()):
        return f"{outcome}, but left {sorted(found)}"
    if outcome == "right" and (KINDS[kind][2] and found != CONTENTS or kind == "Archive, unsafe members"):
        return "accepted"
    return outcome
