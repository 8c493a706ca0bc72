"""What things are called in an answer: machines, pools, speeds, feelings, counts."""

from __future__ import annotations

from sizeup.facts import data_json
from sizeup.hardware import Machine, Pool
from sizeup.page import Page
from sizeup.plan import Plan, Speed
from sizeup.units import show_rate


def pool_name(page: Page, machine: Machine, pool: str) -> str:
    """A pool as people call it: RAM, the card's own name, or its number when several cards have that name."""
    devices = [device for device in machine.devices if device.pool == pool]
    alike = [device for device in machine.devices if devices and device.name == devices[0].name]
    if devices and pool.startswith("vram"):
        return short_device(devices[0].name) if len(alike) == 1 else page.texts("pool.gpu", number=pool.partition(":")[2])
    if pool.startswith("vram"):
        return page.texts("pool.gpu", number=pool.partition(":")[2])
    return page.texts.named("pool", pool)


def short_device(name: str) -> str:
    """A device without its maker: "GeForce RTX 4090" instead of "NVIDIA GeForce RTX 4090"."""
    for maker in ("NVIDIA ", "AMD ", "Intel(R) ", "Intel ", "GeForce "):
        name = name.removeprefix(maker)
    return name


def machine_line(page: Page, machine: Machine) -> str:
    """One line about a machine: cores, memory with what is free, cards."""
    t = page.texts
    words = []
    if machine.cpu is not None:
        words.append(t("machine.cores", cores=machine.cpu.cores))
    for pool in machine.pools:
        if pool.name in ("ram", "unified"):
            words.append(t(f"machine.{pool.name}", total=page.bytes(pool.bytes), free=_short(page, pool)))
    cards: dict[str, list[Pool | None]] = {}
    for device in machine.devices:
        cards.setdefault(short_device(device.name), []).append(machine.pool(device.pool))
    for name, pools in cards.items():
        count = f"{len(pools)} × " if len(pools) > 1 else ""
        own = pools[0] if pools[0] is not None and pools[0].name.startswith("vram") else None
        words.append(f"{count}{name}" + (f" {page.bytes(own.bytes)}" if own else ""))
    if not cards:
        words.append(t("machine.no_gpu"))
    name = t("machine.this") if machine.name == "this machine" else machine.name
    return t("machine.line", name=name, words=t("list.comma").join(words))


def _short(page: Page, pool: Pool) -> str:
    """The free bytes of a pool; without its unit when that is the unit of the whole."""
    (number, unit), whole = page.bytes(pool.free_bytes).split(" "), page.bytes(pool.bytes)
    return number if whole.endswith(f" {unit}") else f"{number} {unit}"


def quant_name(page: Page, plan: Plan) -> str:
    """The mix of a plan; for a file without a label the type that most of its bytes have."""
    if plan.quant != "as stored":
        return plan.quant
    sizes: dict[str, int] = {}
    for tensor in plan.model.tensors:
        if tensor.type:
            sizes[tensor.type] = sizes.get(tensor.type, 0) + tensor.bytes
    return page.texts("fit.mostly", type=max(sizes, key=sizes.__getitem__).upper()) if sizes else page.texts("fit.as_stored")


def speed_range(page: Page, speed: Speed, key: str = "speed.rate") -> str:
    """A rate as an interval in the words of `key`: "3.1–4.0 tok/s"."""
    low, high = show_rate(speed.lower), show_rate(speed.upper)
    return page.texts(key, range=low if low == high else f"{low}–{high}")


def feeling(page: Page, tokens_per_s: float) -> str:
    """What a decode speed feels like to a reader."""
    steps = data_json("paces.json")["steps"]
    found = [step["feeling"] for step in steps if step["from_tokens_per_s"] <= tokens_per_s]
    return page.texts(f"feeling.{found[-1]}")


def bound(page: Page, speed: Speed) -> str:
    """What binds a speed: "memory:ram" is the bandwidth of RAM."""
    return page.texts.named("bound", speed.bound_by.partition(":")[0])


def seconds(page: Page, count: float) -> str:
    """A duration: seconds, minutes above two of them."""
    if count < 120:
        return page.texts("time.s", count=f"{count:.1f}" if count < 10 else f"{count:.0f}")
    return page.texts("time.min", count=f"{count / 60:.0f}")


def parameters(count: int) -> str:
    """A number of parameters as the field writes it: 270M, 8.0B, 671B."""
    for scale, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        # 999.9M is a 1.0B.
        if count >= scale * 0.9995:
            value = count / scale
            return f"{value:.1f}{letter}" if value < 100 else f"{value:.0f}{letter}"
    return str(count)


def context(plan: Plan) -> int:
    """The context that a plan asks for, in tokens; 0 when its engine has none."""
    return int(getattr(plan.settings, "context_tokens", 0) or 0)


def signed_percent(ratio: float) -> str:
    """A change as people read it: +30 %, −28 %."""
    percent = round((ratio - 1) * 100)
    return f"{'+' if percent >= 0 else '−'}{abs(percent)} %"
