"""What a tab tells of its browser and machine, and what was measured in it. Every field may be unknown: None."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Gpu = Literal["no-api", "no-adapter", "fallback", "adapter"]
"""navigator.gpu is missing; it is there and gives no adapter; the adapter is software; there is one."""

MOBILE = ("android", "ios")


@dataclass(frozen=True, slots=True)
class Device:
    """A browser on a machine as a page sees it. Names in JSON and CSV are those of `NAMES`."""

    platform: str | None = None
    """"windows", "macos", "linux", "chromeos", "android" or "ios"."""
    browser: str | None = None
    """"chrome" (every Chromium), "firefox" or "safari"."""
    browser_major: int | None = None
    memory_gib: float | None = None
    """navigator.deviceMemory: RAM rounded to a power of two, capped."""
    threads: int | None = None
    """navigator.hardwareConcurrency."""
    isolated: bool | None = None
    """crossOriginIsolated: several WASM threads need it."""
    simd: bool | None = None
    memory64: bool | None = None
    jspi: bool | None = None
    gpu: Gpu | None = None
    features: tuple[str, ...] | None = None
    """Features of the WebGPU adapter."""
    buffer_bytes: int | None = None
    binding_bytes: int | None = None
    workgroup_bytes: int | None = None
    quota_bytes: int | None = None
    usage_bytes: int | None = None
    builtin: str | None = None
    """"no-api", or what LanguageModel.availability() says."""
    wasm_read_bytes_per_s: float | None = None
    wasm_flops_per_s: float | None = None
    """Measured on one thread, as is the rate above."""
    gpu_read_bytes_per_s: float | None = None
    gpu_allocated_bytes: int | None = None
    """How much GPU memory was really taken when that was tried; the trial stops where it was told to."""
    gpu_allocation_failed: bool | None = None
    """Whether it stopped because there was no more."""
    network_bytes_per_s: float | None = None

    @property
    def mobile(self) -> bool:
        """Whether this is a phone or a tablet."""
        return self.platform in MOBILE


NAMES = {
    "platform": "platform",
    "browser": "browser",
    "browser_major": "browserMajor",
    "memory_gib": "deviceMemory",
    "threads": "hardwareConcurrency",
    "isolated": "crossOriginIsolated",
    "simd": "wasmSimd",
    "memory64": "wasmMemory64",
    "jspi": "wasmJspi",
    "gpu": "webgpu",
    "features": "features",
    "buffer_bytes": "maxBufferSize",
    "binding_bytes": "maxStorageBufferBindingSize",
    "workgroup_bytes": "maxComputeWorkgroupStorageSize",
    "quota_bytes": "quota",
    "usage_bytes": "usage",
    "builtin": "builtin",
    "wasm_read_bytes_per_s": "wasmReadBytesPerS",
    "wasm_flops_per_s": "wasmFlopsPerS",
    "gpu_read_bytes_per_s": "gpuReadBytesPerS",
    "gpu_allocated_bytes": "gpuAllocatedBytes",
    "gpu_allocation_failed": "gpuAllocationFailed",
    "network_bytes_per_s": "networkBytesPerS",
}
"""Field -> its name in JSON and in the columns of an audience file: the web's own where the web has one."""


def device_json(device: Device) -> dict[str, Any]:
    """The device by the names that the page uses; unknown fields are null."""
    return {NAMES[field.name]: _plain(getattr(device, field.name)) for field in dataclasses.fields(device)}


def from_json(content: Mapping[str, Any]) -> Device:
    """A device of what the page exports; other keys (details, dates) are left alone."""
    found = {field: content[name] for field, name in NAMES.items() if content.get(name) is not None}
    if "features" in found:
        found["features"] = tuple(found["features"])
    return Device(**found)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
