// What the tab says of itself and what was measured in it, as names and values with where each is from.

import { element } from "./format.js";

const FLOOR = 10737418240;

export const badge = (say, kind) => element("span", { class: "badge", "data-kind": kind }, say(`badge.${kind}`));

const pair = (say, name, value, kind = "read") => element("div", {}, element("dt", {}, say(name)), element("dd", {}, value, " ", badge(say, kind)));

export function gpuName(say, device) {
  const { vendor, architecture, description } = device.gpu ?? {};
  return description || [vendor, architecture].filter(Boolean).join(" ") || say("gpu.unnamed");
}

function gpu(say, device) {
  if (device.webgpu === "no-api" && device.secureContext === false) return say("gpu.insecure");
  return say(`gpu.${device.webgpu ?? "unknown"}`, { name: gpuName(say, device) });
}

function memory(say, show, device) {
  if (device.deviceMemory == null) return say("memory.untold");
  const mobile = ["android", "ios"].includes(device.platform);
  const top = mobile || !(device.browserMajor >= 147) ? 8 : 32;
  return say(device.deviceMemory >= top ? "memory.floor" : "memory.told", { size: `${show.number(device.deviceMemory, 2)} GiB` });
}

function wasm(device) {
  const all = { SIMD: device.wasmSimd, "relaxed SIMD": device.wasmRelaxedSimd, memory64: device.wasmMemory64, JSPI: device.wasmJspi };
  return Object.entries(all).map(([name, there]) => `${name} ${there ? "✓" : "✕"}`).join("  ");
}

function storage(say, show, device) {
  if (device.quota == null) return say("unknown");
  const room = device.quota - (device.usage ?? 0);
  const floor = device.browser === "chrome" && room >= FLOOR;
  const size = floor ? say("storage.floor") : say("storage.exact", { size: show.bytes(room) });
  return size + say("comma") + say(device.persisted ? "storage.kept" : "storage.evictable");
}

/** The pairs of the probe. */
export function told(say, show, device) {
  const f16 = device.features ? (device.features.includes("shader-f16") ? say("yes") : say("no")) : say("none");
  const buffers = device.maxBufferSize ? show.bytes(device.maxBufferSize) + say("comma") + show.bytes(device.maxStorageBufferBindingSize) : say("none");
  const threads = say(device.crossOriginIsolated ? "threads.isolated" : "threads.alone", { count: device.hardwareConcurrency ?? "?" });
  return [
    pair(say, "gpu", gpu(say, device)),
    pair(say, "f16", f16),
    pair(say, "buffers", buffers),
    pair(say, "memory", memory(say, show, device)),
    pair(say, "threads", threads),
    pair(say, "wasm", wasm(device)),
    pair(say, "storage", storage(say, show, device)),
    pair(say, "builtin", say(`builtin.${device.builtin ?? "unknown"}`)),
  ];
}

/** The pairs of the measurement, and a sentence on what really ran. */
export function rates(say, show, device, measured) {
  const found = [];
  if (measured.wasmReadBytesPerS) found.push(pair(say, "rate.read", show.rate(measured.wasmReadBytesPerS), "measured"));
  if (measured.wasmFlopsPerS) found.push(pair(say, "rate.flops", show.flops(measured.wasmFlopsPerS), "measured"));
  if (measured.gpuReadBytesPerS) found.push(pair(say, "rate.gpu", show.rate(measured.gpuReadBytesPerS), "measured"));
  if (measured.gpuAllocatedBytes != null) {
    const size = show.bytes(measured.gpuAllocatedBytes);
    found.push(pair(say, "rate.room", measured.gpuAllocationFailed ? size : say("rate.room_more", { size }), "measured"));
  }
  if (measured.networkBytesPerS) found.push(pair(say, "rate.network", show.network(measured.networkBytesPerS), "measured"));
  return found;
}

export function whatRan(say, device, measured) {
  const gpuRan = measured.gpuReadBytesPerS ? say("ran.gpu", { name: gpuName(say, device) }) : say("ran.no_gpu");
  return say("ran", { what: `${say(`ran.${measured.measuredIn}`)}${say("ran.joint")}${gpuRan}` });
}
