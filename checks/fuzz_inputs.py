"""Bad files: small good recordings in memory, and everything that is done to one of their files.

A recording is a dict of the bytes of each file, by name. An input is made from its kind and number alone, so that a
finding can be made again.
"""

import gzip
import struct
import zlib
from functools import cache

import nibabel
import numpy as np

SHAPE, LENGTH, N_PIXELS = (4, 3, 3), 9, 4
AFFINE = np.diag([-2.0, 2.0, 2.5, 1.0])
IMAGES = ("func/run1.nii.gz", "mask/mask.nii.gz", "mask/V1.nii.gz", "bg.nii.gz")
LABEL = "label/run1.csv"
#: Type of the stored numbers, version of NIfTI, order of the bytes.
STORAGE = [("float32", 1, "<"), ("int16", 1, "<"), ("float64", 1, ">"), ("uint8", 2, "<"), ("int32", 2, ">")]

#: Field of a NIfTI-1 header -> its place and format (the standard's header file gives both).
FIELDS = {
    "sizeof_hdr": (0, "i"), "dim[0]": (40, "h"), "dim[1]": (42, "h"), "dim[2]": (44, "h"), "dim[3]": (46, "h"),
    "dim[4]": (48, "h"), "dim[5]": (50, "h"), "datatype": (70, "h"), "bitpix": (72, "h"), "qfac": (76, "f"),
    "pixdim[1]": (80, "f"), "pixdim[3]": (88, "f"), "vox_offset": (108, "f"), "scl_slope": (112, "f"),
    "scl_inter": (116, "f"), "xyzt_units": (123, "b"), "glmin": (144, "i"), "qform_code": (252, "h"),
    "sform_code": (254, "h"), "quatern_b": (256, "f"), "quatern_d": (264, "f"), "qoffset_x": (268, "f"),
    "srow_x[0]": (280, "f"), "srow_y[1]": (300, "f"), "srow_z[3]": (324, "f"),
}  # fmt: skip
NASTY = {
    "h": [-32768, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 128, 256, 511, 512, 768, 1024, 1536, 1792, 2048, 2304, 32767],
    "i": [-(2**31), -1, 0, 1, 16, 348, 540, 2**31 - 1],
    "f": [np.nan, np.inf, -np.inf, 0, -1, 1e-45, -1e-30, 1e-3, 0.5, 3, 344, 351, 352.5, 353, 368, 1e4, 2**31, 1e30,
          3e38],
    "b": [0, 2, 63, -1, -128],
}
MAGICS = [b"ni1\0", b"n+1\0", b"n+2\0", b"ni2\0", b"\0\0\0\0", b"n+1 ", b"\xff" * 4]
CELLS = [
    "", " ", "a", "nan", "-nan", "inf", "-Infinity", "1e999", "1e39", "-1e-999", "-0", "0x1A", "0x1p3", "1_0", "1j",
    "1d5", "#1", "1#", "'1'", '"1"', '"1', "1\x00", "\x00", "\u0661", "\uff11", "\xa01", " 1\t", "+1", "+-1", ".5",
    "5.", ".", "e5", "1e", "1e5.0", "9" * 400, "0" * 5000, "1 2", "1;2", "1\x0b", "1\x0c2", "1\x1c2", "1\x852", "1\u20282",
    "=1+1", "True", "None", "__import__('os').system('touch owned')", "\ufeff1", "1.1754944e-38", "1e-45",
    "16777217", "3.4028236e38",
]  # fmt: skip


@cache
def good_recording(number):
    """Bytes of the files of one of the good recordings, by name."""
    rng = np.random.default_rng(number)
    stored, version, order = STORAGE[number]
    mask = rng.random(SHAPE) < 0.5
    files = {}
    stimuli = rng.integers(0, 2, (LENGTH, N_PIXELS))
    stimuli[::4] = -1
    files[LABEL] = "".join(",".join(map(str, row)) + "\n" for row in stimuli).encode()
    volumes = 100 + 10 * rng.normal(size=(*SHAPE, LENGTH))
    files[IMAGES[0]] = pack(write_nifti(volumes, stored, version, order, slope=stored == "int16"))
    files["mask/mask.nii.gz"] = pack(write_nifti(mask, "uint8", version, order))
    files["mask/V1.nii.gz"] = pack(write_nifti(mask & (rng.random(SHAPE) < 0.5), "uint8", version, order))
    files["bg.nii.gz"] = pack(write_nifti(rng.random(SHAPE) * 100, stored, version, order))
    return files


def write_nifti(values, stored, version, order, slope=False):
    """Bytes of an image, not compressed."""
    kind = {1: nibabel.Nifti1Image, 2: nibabel.Nifti2Image}[version]
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.dtype(stored).newbyteorder(order))
    values = values.astype(np.float64) if slope else values.astype(stored)
    return kind(values, AFFINE, header).to_bytes()


def pack(content):
    """Compressed bytes, with the right checksum, the same each time."""
    return gzip.compress(content, compresslevel=1, mtime=0)


def pick(rng, items):
    """One of the items."""
    return items[rng.integers(len(items))]


def pick_image(rng):
    """Name of an image, most often of a run."""
    return IMAGES[0] if rng.random() < 0.6 else pick(rng, IMAGES)


def cut(rng, content):
    """The beginning of it."""
    return content[: rng.integers(len(content))]


def flip(rng, content, first=0, last=None):
    """Flip one bit, or up to a hundred, between two places."""
    flipped = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(first, len(content) if last is None else last, size=int(pick(rng, [1, 1, 2, 5, 100])))
    np.bitwise_xor.at(flipped, places, np.uint8(1) << rng.integers(8, size=len(places), dtype=np.uint8))
    return flipped.tobytes()


def random_bytes(rng, files):
    content = rng.bytes(rng.integers(3000))
    name = pick(rng, (*IMAGES, LABEL))
    files[name] = pick(rng, [content, b"\x1f\x8b\x08\x00" + content, pack(content)]) if name in IMAGES else content


def cut_compressed(rng, files):
    name = pick_image(rng)
    files[name] = cut(rng, files[name])


def flipped_compressed(rng, files):
    name = pick_image(rng)
    files[name] = flip(rng, files[name])


def cut_inside(rng, files):
    name = pick_image(rng)
    files[name] = pack(cut(rng, gzip.decompress(files[name])))


def flipped_header(rng, files):
    name = pick_image(rng)
    files[name] = pack(flip(rng, gzip.decompress(files[name]), 0, 352))


def flipped_data(rng, files):
    name = pick_image(rng)
    content = gzip.decompress(files[name])
    files[name] = pack(flip(rng, content, 348))


def forged_header(rng, files):
    """Nasty values in one to three fields of the header of a NIfTI-1 file."""
    files |= good_recording(int(rng.integers(3)))
    order = ">" if files["bg.nii.gz"] == good_recording(2)["bg.nii.gz"] else "<"
    name = pick_image(rng)
    content = bytearray(gzip.decompress(files[name]))
    for _ in range(rng.integers(1, 4)):
        place, kind = FIELDS[pick(rng, list(FIELDS))]
        struct.pack_into(order + kind, content, place, pick(rng, NASTY[kind]))
    if rng.random() < 0.1:
        content[344:348] = pick(rng, MAGICS)
    files[name] = pack(bytes(content))


def forged_extension(rng, files):
    """Extensions whose size is nasty, before data that is moved back, or not."""
    name = pick_image(rng)
    files |= good_recording(0)
    content = bytearray(gzip.decompress(files[name]))
    size = pick(rng, [-(2**31), -16, -1, 0, 7, 8, 15, 16, 32, 48, 2**31 - 1])
    extension = struct.pack("<ii", size, pick(rng, [-1, 0, 2, 4, 6, 16, 32, 44, 99])) + rng.bytes(24)
    content[348:352] = b"\1\0\0\0"
    offset = pick(rng, [352, 352 + len(extension), 352 + len(extension) * 2, 1e6, np.inf, np.nan])
    struct.pack_into("<f", content, 108, offset)
    files[name] = pack(bytes(content[:352]) + extension + bytes(content[352:]))


def bomb(rng, files):
    """A header that says much, with zeros that say little; up to 8 MB of them in 8 kB."""
    name = pick_image(rng)
    files |= good_recording(0)
    content = bytearray(gzip.decompress(files[name])[:352])
    sizes = [pick(rng, [1, 2, 40, 200, 1000, 32767]) for _ in range(4)]
    struct.pack_into("<5h", content, 40, 4 if name == IMAGES[0] else 3, *sizes)
    if rng.random() < 0.5:
        struct.pack_into("<f", content, 108, pick(rng, [352, 1e6, 1e9, 1e12]))
    if rng.random() < 0.5:
        content[348:352] = b"\1\0\0\0"
    files[name] = pack(bytes(content) + bytes(int(pick(rng, [10_000, 1_000_000, 8_000_000]))))


def gzip_layout(rng, files):
    """Several members, which are right, and things after the last, which are not; and long comments in the header."""
    name = pick_image(rng)
    content = gzip.decompress(files[name])
    place = int(rng.integers(len(content)))
    members = pack(content[:place]) + pack(content[place:])
    header = b"\x1f\x8b\x08\x18" + bytes(6) + b"name" * 1000 + b"\0" + b"comment" * 1000 + b"\0"
    squeeze = zlib.compressobj(wbits=-15)
    body = squeeze.compress(content) + squeeze.flush()
    trailer = struct.pack("<II", zlib.crc32(content), len(content))
    wrong = struct.pack("<II", zlib.crc32(content), len(content) + 1)
    files[name] = pick(rng, [
        members, members + bytes(rng.integers(1, 600)), files[name] + rng.bytes(rng.integers(1, 600)),
        members + pack(b""), members[:-1], pack(files[name]), pack(content + rng.bytes(9)),
        pack(content + bytes(2**21)),
        header + body + trailer, header + body + wrong, header + body, content,
    ])  # fmt: skip


def damaged_label(rng, files):
    files[LABEL] = pick(rng, [cut, flip])(rng, files[LABEL])


def odd_cell(rng, files):
    rows = [line.split(",") for line in files[LABEL].decode().splitlines()]
    for _ in range(rng.integers(1, 3)):
        rows[rng.integers(len(rows))][rng.integers(N_PIXELS)] = pick(rng, CELLS)
    files[LABEL] = "\n".join(",".join(row) for row in rows).encode(pick(rng, ["utf-8", "utf-8", "utf-8-sig"]))


def odd_layout(rng, files):
    """Other ends of lines, separators and encodings; rows too many, too long, empty; a header; a comment."""
    rows = files[LABEL].decode().splitlines()
    extra = ["", "   ", "#", "# a comment", "pixel 1,pixel 2,pixel 3,pixel 4", rows[0] + ",", "," + rows[0],
             rows[0] + ",1",
             ",,,", "0,1,0", "\x00", "1" * 100_000, "1," * 50_000 + "1", rows[0] + " # rest", "\f", "\x1a"]  # fmt: skip
    for _ in range(rng.integers(0, 3)):
        rows.insert(rng.integers(len(rows) + 1), pick(rng, extra))
    ends = ["\n", "\n", "\r\n", "\r", "\n\n", "\n\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x00", " \n", ",\n",
            "", "  "]
    text = pick(rng, ends).join(rows) + pick(rng, ["", "\n", "\r\n", "\x1a"])
    text = text.replace(",", pick(rng, [",", ",", ",", ", ", " ,", ";", "\t", " ", ",,", "\uff0c"]))
    files[LABEL] = text.encode(pick(rng, ["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]))


def wide_label(rng, files):
    """A table of a million columns, in one row or in a few that differ."""
    row = b"0," * (10**6 - 1)
    files[LABEL] = pick(rng, [row + b"1", row, (row + b"1\n") * 2, row + b"1\n" + row])


def odd_place(rng, files):
    """Something else where a file should lie: see ``fuzz_guard.put``."""
    files[pick(rng, (*IMAGES, LABEL))] = pick(rng, ["folder", "pipe", "endless", "dangling", "looping", b""])


def odd_name(rng, files):
    """Names that are hard to sort, or to print."""
    name = pick(rng, ["\u00b21", "1" * 200, "\u0661\u0662", "\n", "a\udcff", "data_random_run", " ", "-1"])
    files[f"func/{name}.nii.gz"] = files.pop("func/run1.nii.gz")


def unharmed(rng, files):
    """Nothing is done to it."""


#: Kind of input, as the table calls it -> its function and its share of all inputs.
KINDS = {
    "Nothing wrong": (unharmed, 2), "Random bytes": (random_bytes, 10), "Image cut off": (cut_compressed, 10),
    "Image, bits flipped": (flipped_compressed, 14), "Image cut off before compression": (cut_inside, 8),
    "Header, bits flipped": (flipped_header, 14), "Numbers, bits flipped": (flipped_data, 8),
    "Header, forged fields": (forged_header, 16), "Header, forged extensions": (forged_extension, 6),
    "Bombs": (bomb, 4), "Odd gzip files": (gzip_layout, 6), "Labels, cut off or bits flipped": (damaged_label, 8),
    "Labels, odd cells": (odd_cell, 8), "Labels, odd layout": (odd_layout, 8),
    "Labels, a million columns": (wide_label, 0.1),
    "Odd things in place of files": (odd_place, 2), "Odd names": (odd_name, 1),
}  # fmt: skip


def make_rng(kind, number):
    """A generator for this one input."""
    return np.random.default_rng([zlib.crc32(kind.encode()), number])


def make_input(kind, number):
    """The files of an input: bytes, or the name of something odd, by name."""
    rng = make_rng(kind, number)
    files = dict(good_recording(int(rng.integers(len(STORAGE)))))
    KINDS[kind][0](rng, files)
    return files
