"""Build the shipped device table: `python tools/build_devices.py HARDWARE_FACTS.csv FLUIDX3D_README.md`.

A row ships only with a source that states its memory and bandwidth. Rows of the first file that merely say where to check
("check at") are left out, unless the second file (the README of ProjectPhysX/FluidX3D, a table of tested devices with their
memory and specified bandwidth) states the same part: then its figures and its citation ship. What no source confirms, such
as tensor rates of such a row, stays blank. The number left out is printed.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "sizeup" / "data" / "devices.csv"
COLUMNS = [
    "name",
    "vendor",
    "kind",
    "memory_bytes",
    "memory_is",
    "bandwidth_GBs",
    "memory_options_GB",
    "cpu_cores",
    "gpu_cores",
    "fp32_TFLOPS",
    "fp16_dense_TFLOPS",
    "int8_TOPS",
    "fp8_TFLOPS",
    "fp4_TFLOPS",
    "tdp_W",
    "launch_date",
    "launch_price_USD",
    "grade",
    "verification",
    "source",
    "date",
    "notes",
]
README = "github.com/ProjectPhysX/FluidX3D README table"
README_DATE = "2026-07-14"
REPORTED_MIB = {
    "GeForce RTX 4090": (24564, "nvidia-smi in github.com/RLinf/RLinf issue 255", "2025-11-12"),
    "GeForce RTX 5090": (32607, "nvidia-smi in github.com/noonghunna/club-3090 issue 1261", "2026-09-11"),
    "GeForce RTX 3090": (24576, "nvidia-smi in github.com/noonghunna/club-3090 issue 390", "2026-06-12"),
    "H100 SXM5 80GB HBM3": (81559, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "A100 SXM4 80GB": (81920, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "A100 SXM4 40GB": (40960, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "A10": (23028, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "L40S": (46068, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "L4": (23034, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "Tesla T4": (15360, "nvidia-smi in github.com/modal-labs/modal-client pull 2797", "2025-01-23"),
    "GB10 (DGX Spark)": (124610, "llama.cpp start-up log in github.com/ggml-org/llama.cpp issue 22040", "2026-04-17"),
}
"""What a card's driver says it holds, in MiB, where somebody published it; less than the round figure on the box."""
THOUSANDS_OF_MIB = ("B200 SXM6 180GB", "B300 SXM6 AC")
VENDORS = {"🔴": "AMD", "🔵": "Intel", "🟢": "NVIDIA", "⚪": "Apple", "🟣": "Arm", "🟡": "Glenfly"}
INTEGRATED = ("Radeon 8060S", "Radeon 780M", "Radeon Graphics", "Radeon Vega 8", "Arc B390", "Arc 140V", "Graphics (", "Arc Graphics")
INTEGRATED += ("Iris Xe Graphics", "UHD Graphics", "HD Graphics", "GB10", "Mali")


def readme_rows(readme: Path) -> list[dict[str, str]]:
    """The single-device table: name, kind, memory in GB as the table says, specified bandwidth, FP32 rate."""
    rows: list[dict[str, str]] = []
    inside = False
    for line in readme.read_text(encoding="utf-8").splitlines():
        cells = [" ".join(cell.replace("&nbsp;", " ").split()) for cell in line.strip("|").split("|")]
        if line.startswith("| Device"):
            if inside or rows:
                break  # the next table holds machines with several cards
            inside = True
            continue
        if not inside or len(cells) < 5 or not re.fullmatch(r"[\d.]+", cells[2]):
            continue
        mark, _, name = cells[0].partition(" ")
        if mark not in VENDORS:
            continue
        cpu = bool(re.search(r"EPYC|Xeon|Threadripper|Ryzen|Core |FX-|Athlon|Celeron|Neoverse|Athlon", name)) and "Radeon" not in name
        kind = "cpu" if cpu else "igpu" if name.startswith(INTEGRATED) else "gpu"
        rows.append({"name": name, "vendor": VENDORS[mark], "kind": kind, "memory": cells[2], "bandwidth": cells[3], "fp32": cells[1]})
    return rows


def key(name: str) -> str:
    """A name without vendor, punctuation and board words, to match one table with the other."""
    text = name.lower().replace("sxm5", "sxm").replace("sxm6", "sxm").replace("(per gpu)", "")
    text = re.sub(r"\b(geforce|radeon|instinct|nvidia|amd|intel|tesla|le|hbm3|hbm2e|rx|ac)\b|\(as tested\)", " ", text)
    return re.sub(r"[^a-z0-9+]", "", re.sub(r"(\d+) ?gb\b", "", text))


def from_readme(row: dict[str, str]) -> dict[str, str]:
    out = {
        "name": row["name"],
        "vendor": row["vendor"],
        "kind": row["kind"],
        "bandwidth_GBs": row["bandwidth"],
        "fp32_TFLOPS": row["fp32"],
        "grade": "A",
        "verification": "read at the source",
        "source": README,
        "date": README_DATE,
    }
    if row["kind"] == "cpu":
        out |= {"memory_bytes": str(round(float(row["memory"]) * 2**30)), "memory_is": "as tested"}
    elif row["name"] in THOUSANDS_OF_MIB:
        out |= {"memory_bytes": str(int(row["memory"]) * 1000 << 20), "memory_is": "as tested"}
        out["notes"] = "the table gives the memory of this card in thousands of MiB as OpenCL reports them, not as the card is named"
    elif row["kind"] == "gpu":
        out |= {"memory_bytes": str(round(float(row["memory"]) * 2**30)), "memory_is": "as named"}
    return out


def from_facts(row: dict[str, str]) -> dict[str, str]:
    kind = {"GPU": "gpu", "CPU node": "cpu", "SoC (unified memory)": "soc"}[row["kind"]]
    # "36.. GB" names an end of a range, not what is sold between.
    whole = kind == "soc" and ".." not in row["mem_config"]
    options = " ".join(re.findall(r"\d+", re.sub(r"\(.*?\)", "", row["mem_config"]))) if whole else ""
    read = row["verification"].startswith("read at")
    return {
        "name": row["name"].removesuffix(" (as tested)"),
        "vendor": row["vendor"],
        "kind": kind,
        "memory_bytes": str(round(float(row["memory_GB"]) * 2**30)),
        "memory_is": "as tested" if kind == "cpu" else "the most sold" if kind == "soc" else "as named",
        "bandwidth_GBs": row["bandwidth_GBs"],
        "memory_options_GB": options,
        "grade": "A" if read else "B",
        **{name: row[name] for name in ("cpu_cores", "gpu_cores", "fp16_dense_TFLOPS", "int8_TOPS", "fp8_TFLOPS", "fp4_TFLOPS", "tdp_W")},
        **{name: row[name] for name in ("launch_date", "launch_price_USD", "verification", "source", "date", "notes")},
    }


def build(facts: Path, readme: Path) -> None:
    table = readme_rows(readme)
    with facts.open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    rows = [from_facts(row) for row in known if "check at" not in row["source"]]
    names = {(key(row["name"]), row["memory_bytes"]) for row in rows}
    apple = [row for row in table if row["vendor"] == "Apple"]
    for row in table:
        made = from_readme(row)
        if row in apple or (key(row["name"]), made.get("memory_bytes", "")) in names:
            continue
        rows.append(made)
        names.add((key(row["name"]), made.get("memory_bytes", "")))
    for row in rows:
        if row["name"] in REPORTED_MIB:
            mib, source, date = REPORTED_MIB[row["name"]]
            row["memory_bytes"], row["memory_is"] = str(mib << 20), "as the driver reports"
            row["notes"] = "; ".join(filter(None, [row.get("notes", ""), f"memory: {source}, {date}"]))
    confirmed = {key(row["name"]) for row in rows}
    left = [row["name"] for row in known if "check at" in row["source"] and key(row["name"]) not in confirmed]
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["kind"], row["vendor"], row["name"])))
    checked = sum("check at" in row["source"] for row in known)
    print(
        f"{len(rows)} devices shipped; {checked} rows had no citation, {checked - len(left)} of them are in the table, {len(left)} left out"
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
