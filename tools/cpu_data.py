"""Processors of a public data set as rows of data/devices: the memory channels and speeds that the vendors' own pages state.

felixsteinke/cpu-spec-dataset (GitHub, commit below): Intel ARK pages and AMD's product table.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARK = "github.com/felixsteinke/cpu-spec-dataset at 4c08d88 (2023-07-09)"
DATE = "2026-11-21"
INTEL = re.compile(
    r"^Core (i3-(8100|9100F|10100|12100|13100)|i5-(4460|4570|4590|4690K|6400|6500|6600K|7400|7500|7600K|8400|8500|8600K|9400F?|9600K|10400F?|10500|"
    r"10600K|11400F?|11600K|12400F?|12500|12600K|13400F?|13500|13600K)|i7-(4790K?|4770K|5820K|6700K?|7700K?|6900K|8700|9700K|10700K?|11700K?|12700[KF]?|"
    r"13700F?)|i9-(7900X|7980XE|9900K|9900KS|9980XE|109[024]0X?K?|10850K|11900K|12900K?S?|13900K?S?)|"
    r"i5-(7200U|8250U|8265U|1035G[14]|10210U|1135G7|1145G7|1235U|1240P|12450H|12500H|1335U|1340P|13500H|8300H|9300H|10300H|11400H)|"
    r"i7-(7500U|8550U|8565U|8650U|10510U|1065G7|1165G7|1185G7|1255U|1260P|1270P|12650H|12700H|12800HX?|1355U|1360P|13620H|13700HX?|8750H|9750H|10750H|"
    r"10870H|11800H)|i9-(9880H|11980HK|12900HX?|13900HX?|13980HX))$|"
    r"^(N100|N200|i3-N30[05]|Core i3-N30[05]|Celeron (N5095|N5105|J4125|J4105)|Pentium Silver (J5005|N6005))$|"
    r"^Xeon (E5-(26[2-9]0|2695|2697|2698|2699|1620|1650) v[234]|E3-12[3457]0 v[356]|Silver (4110|4114|4208|4210|4214|4216|4309Y|4310|4314|4316|4410Y|4416\+)|"
    r"Gold (5118|5120|5218|5220|6130|6132|6138|6140|6148|6150|6154|6226R|6230|6240|6242|6248|6252|6254|6258R|5317|5318Y|5320|6326|6330|6338|6342|6346|6348|"
    r"6354|5415\+|5418Y|5420\+|6426Y|6430|6442Y|6448Y|6454S|6458Q)|Platinum (8160|8168|8176|8180|8260|8268|8280|8352Y|8358P|8360Y|8362|8368|8452Y|8460Y\+|8462Y\+|8468|"
    r"8490H)|W-(2133|2145|2155|2195|2245|2255|2265|2295|3175X|3265|3275|3345|3365|3375)|w5-2455X|w5-2465X|w7-2475X|w7-2495X|w5-3425|w7-3455|w7-3465X|w9-3475X|"
    r"w9-3495X)$"
)
"""The parts of Intel's that people have: desktops and laptops since Haswell, servers since Ivy Bridge."""
GRADES = {
    800, 1066, 1333, 1600, 1866, 1867, 2133, 2400, 2666, 2667, 2933, 3200, 3733, 4000, 4200, 4266, 4267, 4400, 4800, 5200, 5600, 6000, 6400, 6800,
    7467, 7500, 8000, 8400, 8448, 8533, 9600,
}  # fmt: skip
"""Speed grades of DDR3 to LPDDR5X, in MT/s."""
AMD = re.compile(
    r"^(Ryzen (Threadripper (PRO )?)?[3579]? ?[1-7]\d{3}(X|XT|X3D|G|GE|U|H|HS|HX|WX|HX3D)?|EPYC [789]\w{3}P?)$|^Ryzen Threadripper (PRO )?[1-7]\d{3}(W?X)$|^FX-[68]3[05]0$"
)


def intel(folder: Path) -> Iterator[dict[str, Any]]:
    """Rows from Intel ARK as collected in 2023; bandwidth as ARK states it, else channels x fastest memory x 8 B."""
    csv.field_size_limit(10**9)
    for given in csv.DictReader((folder / "intel-cpus.csv").open(encoding="utf-8-sig")):
        name = re.sub(r"®|™|\(R\)|\(TM\)|Processor|X-series|CPU", "", given["CpuName"]).replace("  ", " ")
        name = " ".join(name.split()).replace("Intel ", "")
        if not INTEL.match(name):
            continue
        channels, fastest = int(given["NumMemoryChannels"] or 0), _fastest(given["MemoryTypes"] + " " + given["MemoryMaxSpeedMhz"])
        stated = re.match(r"([\d.]+) GB/s", given["MaxMemoryBandwidth"])
        computed = channels * fastest * 8 / 1000
        if not (stated or computed):
            continue
        yield _row(
            name if not re.match(r"N\d|i3", name) else f"Processor {name}" if name[0] == "N" else f"Core {name}",
            "Intel",
            family(name, given["CodeNameText"].replace("Products formerly ", "")),
            f"{channels} x 64-bit, {' '.join(given['MemoryTypes'].split())}" if channels else given["MemoryTypes"],
            computed or float(stated[1])
            if stated and computed and abs(computed / float(stated[1]) - 1) < 0.03
            else float(stated[1])
            if stated
            else computed,
            int(given["CoreCount"] or 0),
            given["MaxTDP"] or given["ProcessorBasePower"],
            _pcie(given["PCIExpressRevision"] or given["MicroprocessorPCIeRevision"]),
            _quarter(given["BornOnDate"]),
            f"{given['SourceUrl']}, as collected in {ARK}",
            "bandwidth as ARK states it" if stated else "computed channels x fastest supported memory x 8 B",
            f"at most {given['MaxMem']} of memory" if given["MaxMem"] else "",
        )


def amd(folder: Path) -> Iterator[dict[str, Any]]:
    """Rows from AMD's product table as collected in 2023."""
    for given in csv.DictReader((folder / "amd-cpus.csv").open(encoding="utf-8-sig")):
        name = re.sub(r"AMD |™|®| Processor| with Radeon.*| \(OEM Only\)", "", given["Model"]).strip()
        # Laptop parts name the plain and the soldered memory in one field; AM4 and FP6 have two channels where the table leaves them out.
        plain = re.search(r"\bDDR4 - Up to \d+MHz", given["System Memory Type"])
        fastest = _fastest(given["System Memory Specification"] or (plain[0] if plain else ""))
        channels = int(given["Memory Channels"] or (2 if given["CPU Socket"] in ("AM4", "FP6") else 0))
        stated = re.match(r"([\d.]+) GB/s", given["Per Socket Mem BW"])
        if not AMD.match(name) or not (stated or (fastest and channels)):
            continue
        bits = "64-bit" if "LPDDR5" not in given["System Memory Type"] else "32-bit"
        rate = float(stated[1]) if stated else channels * fastest * (8 if bits == "64-bit" else 4) / 1000
        yield _row(
            name,
            "AMD",
            family(name, ""),
            f"{channels} x {bits} {(plain[0] if plain else given['System Memory Type']).partition(' -')[0]} {fastest} MT/s",
            rate,
            int(given["# of CPU Cores"] or 0),
            given["Default TDP"],
            _pcie(given["PCI Express® Version"]),
            _american(given["Launch Date"]),
            f"AMD's product table (amd.com/en/products/specifications), as collected in {ARK}",
            "bandwidth as AMD states it" if stated else "computed channels x fastest supported memory",
            "",
        )


def family(name: str, code_name: str) -> str:
    """CPU: and its core generation, which decides instruction sets and cache; "CPU: other" when the name does not say."""
    if re.search(r"\bN(100|150|200|97)\b|i3-N30", name):
        return "CPU: Intel N100/N150"
    if code_name:
        return f"CPU: Intel {code_name}"
    for pattern, core in ZEN:
        if re.search(pattern, name):
            return f"CPU: AMD {core}"
    return "CPU: other"


ZEN = (
    (r"EPYC 9\w\w5", "Zen 5"), (r"EPYC (9\w\w4|8\w\w4)", "Zen 4"), (r"EPYC 7\w\w3", "Zen 3"), (r"EPYC 7\w\w2", "Zen 2"), (r"EPYC 7\w\w1", "Zen"),
    (r"Threadripper (PRO )?7\d{3}", "Zen 4"), (r"Threadripper (PRO )?5\d{3}", "Zen 3"), (r"Threadripper (PRO )?3\d{3}", "Zen 2"),
    (r"Threadripper 2\d{3}", "Zen+"), (r"Threadripper 1\d{3}", "Zen"), (r"Ryzen (AI |. 9\d{3})", "Zen 5"), (r"\b7[35]20U|7\d20U", "Zen 2"),
    (r"\b7\d30U", "Zen 3"), (r"\b(6\d{3}|7\d35)(U|H|HS|HX)", "Zen 3+"), (r"\b(7|8)\d{3}", "Zen 4"), (r"\b5[357]00U", "Zen 2"), (r"\b5\d{3}", "Zen 3"),
    (r"\b4\d{3}", "Zen 2"), (r"\b3\d{3}(U|H|G|GE)\b", "Zen+"), (r"\b3\d{3}", "Zen 2"), (r"\b2\d{3}(U|H|G|GE)\b", "Zen"), (r"\b2\d{3}", "Zen+"), (r"Ryzen . 1\d{3}", "Zen"),
)  # fmt: skip


def _row(
    name: str,
    vendor: str,
    kind: str,
    memory: str,
    rate: float,
    cores: int,
    watts: str,
    links: str,
    launched: str,
    source: str,
    how: str,
    notes: str,
) -> dict[str, Any]:
    power = re.search(r"[\d.]+", watts.replace("-", " "))
    return {
        "name": name, "vendor": vendor, "kind": "cpu", "family": kind, "memory": memory.replace("\n", " "), "bandwidth_GBs": float(f"{rate:.5g}"),
        "cpu_cores": cores or "", "tdp_W": float(power[0]) if power else "", "links": links, "launch_date": launched, "grade": "B", "verification": how,
        "source": source, "date": DATE, "notes": notes,
    }  # fmt: skip


def _fastest(text: str) -> int:
    """The fastest memory a text names, in MT/s; numbers that are no speed grade (a slip of the data set) do not count."""
    return max((int(word) for word in re.findall(r"(?<!\d)(\d{3,4})(?!\d)", text) if int(word) in GRADES), default=0)


def _pcie(text: str) -> str:
    found = re.search(r"([1-6]\.\d)(.*?(x\d+))?", text)
    return f"PCIe {found[1]}{' ' + found[3] if found[3] else ''}" if found else ""


def _quarter(text: str) -> str:
    found = re.match(r"Q(\d)'(\d\d)", text)
    return f"20{found[2]}-Q{found[1]}" if found else ""


def _american(text: str) -> str:
    found = re.match(r"(\d+)/(\d+)/(\d{4})", text)
    return f"{found[3]}-{int(found[1]):02}-{int(found[2]):02}" if found else ""
