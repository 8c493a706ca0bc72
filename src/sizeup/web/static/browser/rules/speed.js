// How fast a model would decode in a tab, as an interval: only from rates that were measured in that very tab.
// The same rules as sizeup/browser/speed.py, held to it by shared test vectors.

const nothing = (why) => ({ lower: null, upper: null, feel: null, boundBy: null, why, evidence: [] });

export function speed(model, device, { runsOn, build, threads }, facts) {
  if ((model.kind ?? "chat") !== "chat") return nothing("does_not_generate");
  if (model.engine === "builtin" || (runsOn === "cpu" && model.engine !== "wllama")) return nothing("never_measured");
  const bytes = tokenBytes(model);
  if (bytes === null) return nothing("bytes_unknown");
  if (runsOn === "gpu") return onGpu(bytes, device, facts);
  const active = model.activeParameters || model.parameters;
  return active ? onCpu(bytes, active, device, build, threads, facts) : nothing("parameters_unknown");
}

/** Bytes read for one token: stated, or the whole file, or the share of it that one token uses. */
function tokenBytes(model) {
  if (model.bytesPerToken != null) return model.bytesPerToken;
  if (model.bytes == null) return null;
  return model.activeParameters && model.parameters ? model.bytes * (model.activeParameters / model.parameters) : model.bytes;
}

function onGpu(bytes, device, facts) {
  if (device.gpuReadBytesPerS == null) return nothing("not_measured");
  const row = facts.row("gpu_speed_share");
  const roof = device.gpuReadBytesPerS / bytes;
  return pace(roof * row.low, roof * row.high, "memory", ["gpu_speed_share"], facts);
}

/** The slower of reading the weights and computing with them; both rates are of one thread. */
function onCpu(bytes, active, device, build, threads, facts) {
  if (device.wasmReadBytesPerS == null || device.wasmFlopsPerS == null) return nothing("not_measured");
  const row = facts.row("wasm_compute_share");
  const slower = build === "compat" ? facts.value("wllama.compat_speed") : 1;
  const reading = device.wasmReadBytesPerS / bytes;
  const computing = device.wasmFlopsPerS / (2 * active);
  const lower = Math.min(computing * row.low, reading) * slower;
  const upper = Math.min(computing * row.high, reading) * slower * (threads || 1);
  const boundBy = computing * row.middle > reading ? "memory" : "compute";
  const evidence = build === "compat" ? ["wasm_compute_share", "wllama.compat_speed"] : ["wasm_compute_share"];
  return pace(lower, upper, boundBy, evidence, facts);
}

function pace(lower, upper, boundBy, evidence, facts) {
  return { lower, upper, feel: feeling(Math.sqrt(lower * upper), facts), boundBy, why: null, evidence };
}

/** How such a pace feels to who reads along. */
export function feeling(tokensPerS, facts) {
  return facts.limits.paces.filter((step) => step.from_tokens_per_s <= tokensPerS).at(-1).feeling;
}
