"""An independent reading of a small recording: slow, strict, and of nothing but the formats' definitions."""

import re
import struct
import zlib

import numpy as np

TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def inflate(content):
    """What a gzip file of one or more members holds; zeros may follow the last."""
    whole = b""
    while content := content.lstrip(b"\0"):
        reader = zlib.decompressobj(wbits=31)
        whole += reader.decompress(content)
        if not reader.eof:
            raise ValueError("cut off")
        content = reader.unused_data
    return whole


def read_nifti(content):
    """Numbers of a NIfTI file, as float64."""
    raw = inflate(content)
    order = "<" if struct.unpack("<i", raw[:4])[0] in (348, 540) else ">"
    if raw[344:347] in (b"n+1", b"ni1"):
        dim, kind = struct.unpack(f"{order}8h", raw[40:56]), struct.unpack(f"{order}h", raw[70:72])[0]
        offset, slope, inter = struct.unpack(f"{order}3f", raw[108:120])
        # A flipped size of the header says nothing about the order of the bytes; the number of dimensions does.
        if not 0 < dim[0] < 8:
            order = "<>"[order == "<"]
            dim, kind = struct.unpack(f"{order}8h", raw[40:56]), struct.unpack(f"{order}h", raw[70:72])[0]
            offset, slope, inter = struct.unpack(f"{order}3f", raw[108:120])
    else:
        dim, kind = struct.unpack(f"{order}8q", raw[16:80]), struct.unpack(f"{order}h", raw[12:14])[0]
        offset, slope, inter = struct.unpack(f"{order}q2d", raw[168:176] + raw[176:192])
    shape = dim[1 : dim[0] + 1]
    dtype = np.dtype(order + TYPES[kind])
    values = np.frombuffer(raw, dtype, count=int(np.prod(shape)), offset=int(offset)).reshape(shape, order="F")
    with np.errstate(all="ignore"):
        values = values.astype(np.float64)
        return values if slope == 0 or not np.isfinite(slope) else values * slope + inter


def read_table(content):
    """Rows of a CSV file of plain decimal numbers, blanks around them; lines that are blank do not count."""
    lines = re.split(r"\r\n|\r|\n", content.decode("utf-8").removeprefix("\ufeff"))
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip()]
    if not all(NUMBER.fullmatch(cell) for row in rows for cell in row) or len({len(row) for row in rows}) != 1:
        raise ValueError("not a table of numbers")
    with np.errstate(all="ignore"):
        table = np.array([[float(cell) for cell in row] for row in rows]).astype(np.float32)
    if not np.isfinite(table).all():
        raise ValueError("a number too large")
    return table


def standardise(values):
    """Each column without its straight line, over what remains of its spread; and how well rounding allows that."""
    values = values.astype(np.float32).astype(np.float64)
    line = np.vander(np.arange(len(values)), 2)
    scale = np.maximum(abs(values).max(axis=0), 1e-300)
    scaled = values / scale
    residuals = scaled - line @ np.linalg.lstsq(line, scaled, rcond=None)[0]
    spread = residuals.std(axis=0, ddof=1)
    constant = (values == values[0]).all(axis=0)
    with np.errstate(all="ignore"):
        return np.where(constant, 0, residuals / spread), np.where(constant, 0, 1e-4 + 1e-5 / spread)


def read_recording(files, pairs, lag):
    """Stimuli, responses, the rounding error allowed in each response, and the region, from the files' bytes."""
    mask = read_nifti(files["mask/mask.nii.gz"]) != 0
    stimuli, responses, allowed = [], [], []
    for run, label in pairs:
        table = read_table(files[label])
        side = round(table.shape[1] ** 0.5)
        images = table.reshape(-1, side, side).swapaxes(1, 2).reshape(len(table), -1)
        values, rounding = standardise(read_nifti(files[run])[mask].T)
        stimuli.append(images[: len(images) - lag])
        responses.append(values[lag:])
        allowed.append(np.broadcast_to(rounding, values[lag:].shape))
    region = read_nifti(files["mask/V1.nii.gz"])[mask] != 0
    return np.concatenate(stimuli), np.concatenate(responses), np.concatenate(allowed), region
