// Whether an engine can load a model in a tab: features, limits of one buffer, address space, what the tab may hold.
// The same rules as sizeup/browser/load.py, held to it by shared test vectors.

import { gpuRoom, tabRoom } from "./room.js";

const F16 = "shader-f16";
const reason = (key, figures = {}) => ({ key, figures });

export function load(model, device, facts) {
  const runsOn = place(model, device);
  const build = compat(model.engine, device);
  const threads = wasmThreads(model.engine, device);
  const [peak, peakFacts] = peakBytes(model, build, facts);
  const [room, roomFacts] = runsOn === "gpu" ? gpuRoom(device, facts) : tabRoom(device, facts);
  const [cap, capFact] = addressSpace(model, build, threads, facts);
  const hard = runsOn === "gpu" ? gpuReason(model, device, facts) : cpuReason(model, device, cap, facts);
  const [verdict, why] = hard ? blocked(hard) : fitting(peak, room, cap, runsOn);
  const evidence = [...new Set([...peakFacts, ...roomFacts, ...(capFact ? [capFact] : [])])];
  return { verdict, reason: why, runsOn, build, threads, peakBytes: peak, roomBytes: room, evidence };
}

const blocked = (why) => [["webgpu_unknown", "features_unknown"].includes(why.key) ? "unknown" : "no", why];

/** Where the engine would run it: wllama's GPU path falls back silently and is not counted on. */
function place(model, device) {
  if (model.engine === "wllama") return "cpu";
  const without = device.webgpu !== "adapter" && !(model.features ?? []).includes(F16);
  return model.engine === "transformers.js" && without ? "cpu" : "gpu";
}

/** Which of wllama's two builds this browser gets. */
export function compat(engine, device) {
  if (engine !== "wllama" || device.wasmMemory64 == null || device.wasmJspi == null) return null;
  return device.wasmMemory64 && device.wasmJspi ? "memory64" : "compat";
}

/** Threads that wllama starts by itself: half of them all, and one without isolation. */
function wasmThreads(engine, device) {
  if (engine !== "wllama" || device.crossOriginIsolated == null) return null;
  return device.crossOriginIsolated ? Math.max(1, Math.floor((device.hardwareConcurrency || 1) / 2)) : 1;
}

/** Bytes the tab grows by while loading. */
function peakBytes(model, build, facts) {
  let name, base;
  if (model.engine === "webllm" && model.memoryBytes != null) {
    [name, base] = ["webllm.peak_stated", model.memoryBytes];
  } else if (model.bytes == null) {
    return [{ lower: null, upper: null }, []];
  } else {
    [name, base] = [build === "compat" ? "wllama.peak_compat" : `${model.engine}.peak`, model.bytes];
  }
  const row = facts.row(name);
  return [{ lower: base * row.low + row.fixed_low, upper: base * row.high + row.fixed_high }, [name]];
}

/** Bytes that the engine's WASM memory can have at most; null where weights lie elsewhere. */
function addressSpace(model, build, threads, facts) {
  let name = null;
  if (model.engine === "transformers.js" || build === "compat") name = "wasm32_bytes";
  else if (model.engine === "wllama") name = threads !== null && threads > 1 ? "wllama.threaded_bytes" : "wasm64_bytes";
  return name ? [facts.value(name), name] : [null, null];
}

/** The first thing in the way of a WebGPU engine. */
function gpuReason(model, device, facts) {
  const state = { "no-api": "no_webgpu", "no-adapter": "no_adapter", fallback: "software_gpu" }[device.webgpu];
  if (device.webgpu == null) return reason("webgpu_unknown");
  if (state) return reason(state);
  const wanted = model.features ?? [];
  if (wanted.length && device.features == null) return reason("features_unknown", { feature: wanted[0] });
  const missing = wanted.find((feature) => !device.features.includes(feature));
  if (missing) return reason("no_feature", { feature: missing });
  return bufferReason(model, device, facts);
}

function bufferReason(model, device, facts) {
  const tensor = model.largestTensorBytes ?? null;
  let binding = device.maxStorageBufferBindingSize ?? null;
  let buffer = device.maxBufferSize ?? null;
  if (model.engine === "webllm") {
    const need = facts.value("webllm.workgroup_bytes");
    const have = device.maxComputeWorkgroupStorageSize ?? null;
    if (have !== null && have < need) return reason("workgroup_storage", { need, have });
    binding = granted("webllm.binding_bytes", binding, facts);
    buffer = granted("webllm.buffer_bytes", buffer, facts);
  }
  if (tensor !== null && binding !== null && tensor > binding) return reason("tensor_over_binding", { need: tensor, have: binding });
  if (tensor !== null && buffer !== null && tensor > buffer) return reason("tensor_over_buffer", { need: tensor, have: buffer });
  return null;
}

/** What an engine gets that asks for one size after the other: the first within the adapter's limit. */
function granted(name, limit, facts) {
  return limit === null ? null : facts.row(name).ladder.find((step) => step <= limit) ?? 0;
}

/** The first thing in the way of an engine that runs on the processor. */
function cpuReason(model, device, cap, facts) {
  if (device.wasmSimd === false) return reason("no_simd");
  const file = model.largestFileBytes ?? null;
  const most = facts.value("wllama.file_bytes");
  if (model.engine === "wllama" && file !== null && file > most) return reason("file_too_large", { need: file, have: most });
  if (cap !== null && model.bytes != null && model.bytes > cap) return reason("address_space", { need: model.bytes, have: cap });
  return null;
}

/** What is left when nothing blocks: the peak beside the room, both intervals. */
function fitting(peak, room, cap, runsOn) {
  if (peak.lower === null) return ["unknown", reason("bytes_unknown")];
  const key = runsOn === "gpu" ? "gpu_memory" : "tab_memory";
  if (room.upper !== null && peak.lower > room.upper) return ["no", reason(key, { need: peak.lower, have: room.upper })];
  if (runsOn === "cpu" && cap !== null && peak.lower > cap) return ["maybe", reason("address_space", { need: peak.lower, have: cap })];
  if (room.lower === null) return ["unknown", reason(`${key}_unknown`, { need: peak.upper })];
  if (peak.upper > room.lower) return ["maybe", reason(`${key}_tight`, { need: peak.upper, have: room.lower })];
  return ["yes", null];
}
