"""Devices of the table in the README of ProjectPhysX/FluidX3D: tested ones, with memory, specified bandwidth and FP32 rate as their driver says."""

from __future__ import annotations

import re
from pathlib import Path

README = "github.com/ProjectPhysX/FluidX3D README table"
DATE = "2026-07-14"
THOUSANDS_OF_MIB = ("B200 SXM6 180GB", "B300 SXM6 AC")
VENDORS = {"🔴": "AMD", "🔵": "Intel", "🟢": "NVIDIA", "⚪": "Apple", "🟣": "Arm", "🟡": "Glenfly"}
INTEGRATED = ("Radeon 8060S", "Radeon 780M", "Radeon Graphics", "Radeon Vega 8", "Arc B390", "Arc 140V", "Graphics (", "Arc Graphics")
INTEGRATED += ("Iris Xe Graphics", "UHD Graphics", "HD Graphics", "GB10", "Mali")


def rows(readme: Path) -> list[dict[str, str]]:
    """Its rows as rows of data/devices; Apple's are left to rows that know the memory a chip is sold with."""
    return [from_readme(row) for row in readme_rows(readme) if row["vendor"] != "Apple"]


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
        rows.append(
            {
                "name": name,
                "vendor": VENDORS[mark],
                "kind": kind,
                "memory": cells[2],
                "bandwidth": cells[3],
                "fp32": cells[1],
                "share": share[1] if (share := re.search(r"\((\d+)%\)", cells[4])) else "",
            }
        )
    return rows


def from_readme(row: dict[str, str]) -> dict[str, str]:
    out = {
        "name": row["name"],
        "vendor": row["vendor"],
        "kind": row["kind"],
        "bandwidth_GBs": row["bandwidth"],
        "fp32_TFLOPS": row["fp32"],
        "measured_fraction": f"{int(row['share']) / 100:g}" if row["share"] else "",
        "grade": "A",
        "verification": "read at the source",
        "source": README,
        "date": DATE,
    }
    if row["kind"] == "cpu":
        out |= {"memory_bytes": str(round(float(row["memory"]) * 2**30)), "memory_is": "as tested"}
    elif row["name"] in THOUSANDS_OF_MIB:
        out |= {"memory_bytes": str(int(row["memory"]) * 1000 << 20), "memory_is": "as tested"}
        out["notes"] = "the table gives the memory of this card in thousands of MiB as OpenCL reports them, not as the card is named"
    elif row["kind"] == "gpu":
        out |= {"memory_bytes": str(round(float(row["memory"]) * 2**30)), "memory_is": "as named"}
    return out
