"""Reads a recording with stock h5py as a stranger would, and compares every channel with the bytes that were recorded.

Arguments: recording, folder with one file of expected bytes per channel (all rows of the run, one after the other).
"""
import json
import pathlib
import sys

import h5py
import numpy as np

DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "u8": np.uint8, "u16": np.uint16, "i32": np.int32,
          "u32": np.uint32, "u64": np.uint64, "bits": np.uint8}


def require(condition, words):
    if not condition:
        sys.exit(words)


def words_of(attribute):
    """A fixed-length string attribute arrives as bytes."""
    return attribute.decode() if isinstance(attribute, bytes) else attribute


def check_channel(group, channel, expected):
    name, values, steps = channel["name"], group["values"], group["step"][:]
    require(np.all(steps[1:] >= steps[:-1]), f"{name}: the step falls")
    if channel["kind"] == "dense":
        rows = values[:]
        require(len(rows) == len(steps), f"{name}: {len(rows)} rows, {len(steps)} steps")
        labels = [axis["name"] for axis in channel["axes"]]
        require([d.label or d[0].name.rsplit("/", 1)[-1] for d in values.dims] == ["step"] + labels, f"{name}: dimension scales")
    else:
        spans = group["spans"][:]
        require(len(spans) == len(steps), f"{name}: {len(spans)} spans, {len(steps)} steps")
        parts = [values[begin:end] for begin, end in spans]
        rows = np.concatenate(parts) if parts else values[0:0]
    if channel["dtype"] == "text":
        texts = values.asstr()[:].reshape(-1)
        require(all(isinstance(text, str) for text in texts), f"{name}: not text")
        require(rows.dtype.itemsize == 1024, f"{name}: element size")
    elif channel["dtype"] == "record":
        require(list(rows.dtype.names) == [field["name"] for field in channel["fields"]], f"{name}: field names")
    else:
        require(rows.dtype == DTYPES[channel["dtype"]], f"{name}: read as {rows.dtype}")
    if channel["dtype"] == "bits":
        require(words_of(values.attrs["bit_order"]) == "little", f"{name}: bit order")
        count = int(values.attrs["bits"])
        require(count == channel["axes"][-1]["size"], f"{name}: bits")
        whole = np.unpackbits(rows, axis=-1, bitorder="little")
        require(not whole[..., count:].any(), f"{name}: padding bits are set")
    # Padding inside a record has no value of its own, so records are compared field by field.
    if channel["dtype"] == "record":
        require(values.dtype.itemsize == channel["record_bytes"], f"{name}: record size")
        wanted = np.frombuffer(expected, dtype=values.dtype)
        for field in rows.dtype.names:
            require(rows[field].tobytes() == wanted[field].tobytes(), f"{name}.{field}: the bytes differ")
    else:
        require(rows.tobytes() == expected, f"{name}: the bytes differ")
    require(words_of(values.attrs["units"]) == channel["unit"], f"{name}: units")
    return rows.nbytes


def main():
    recording, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with h5py.File(recording, "r") as file:
        require(words_of(file.attrs["format"]) == "sparsescope-recording", "root attribute format")
        require(words_of(file.attrs["format_version"]) == "1.0", "root attribute format_version")
        schema = json.loads(file["schema"][0])
        index = file["index"]
        require(index.dtype.itemsize == 64 and index.dtype["present"].shape == (4,), "index type")
        require(np.all(np.diff(index["step"].astype(np.int64)) >= 0), "the index falls")
        total = 0
        for channel in schema["channels"]:
            group = file["channels"][channel["name"]]
            total += check_channel(group, channel, (folder / channel["name"]).read_bytes())
            rows = int(((index["present"][:, channel["id"] // 64] >> np.uint64(channel["id"] % 64)) & np.uint64(1)).sum())
            require(rows == len(group["step"]), f"{channel['name']}: {rows} rows by the index")
    print(f"{len(schema['channels'])} channels, {total} bytes")


main()
