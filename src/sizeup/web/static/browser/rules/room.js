// How much memory a tab may come to hold, as an interval; null where nobody knows an end.
// The same rules as sizeup/browser/room.py, held to it by shared test vectors.

const GIB = 2 ** 30;

export const isMobile = (device) => device.platform === "android" || device.platform === "ios";

/** RAM in bytes from navigator.deviceMemory, which is rounded and capped, or missing. */
function ram(device, facts) {
  if (device.deviceMemory == null) {
    const name = isMobile(device) ? "memory_unknown_mobile_bytes" : "memory_unknown_desktop_bytes";
    return [{ lower: facts.value(name), upper: null }, [name]];
  }
  const row = facts.row("memory_rounding");
  const told = device.deviceMemory * GIB;
  const lower = told * row.low;
  if (device.deviceMemory < topGib(device, facts)) return [{ lower, upper: told * row.high }, ["memory_rounding"]];
  if (!isMobile(device)) return [{ lower, upper: null }, ["memory_rounding"]];
  return [{ lower, upper: facts.value("memory_most_mobile_bytes") }, ["memory_rounding", "memory_most_mobile_bytes"]];
}

/** The largest value that this browser reports, which means so much or more. */
function topGib(device, facts) {
  if (isMobile(device)) return facts.value("memory_top_mobile_gib");
  const recent = device.browserMajor != null && device.browserMajor >= facts.value("memory_top_since_chrome");
  return facts.value(recent ? "memory_top_gib" : "memory_top_before_gib");
}

/** Bytes that a tab may hold on the processor's side, and the facts that say so. */
export function tabRoom(device, facts) {
  if (device.platform === "ios") {
    const row = facts.row("tab_ios_bytes");
    return [{ lower: row.low, upper: row.high }, ["tab_ios_bytes"]];
  }
  const name = device.platform === "android" ? "tab_share_android" : "tab_share_desktop";
  const row = facts.row(name);
  const [whole, from] = ram(device, facts);
  const lower = whole.lower === null ? null : whole.lower * row.low;
  return [{ lower, upper: whole.upper === null ? null : whole.upper * row.high }, [name, ...from]];
}

/** Bytes that a tab may hold on the GPU: phones share their RAM; elsewhere only a trial tells. */
export function gpuRoom(device, facts) {
  let [room, from] = isMobile(device) ? tabRoom(device, facts) : desktopGpu(device, facts);
  const took = device.gpuAllocatedBytes ?? null;
  if (took === null) return [room, from];
  const upper = device.gpuAllocationFailed ? took + facts.value("gpu_step_bytes") : room.upper;
  const lower = device.gpuAllocationFailed ? took : Math.max(took, room.lower ?? 0);
  return [{ lower, upper: upper === null ? null : Math.max(upper, lower) }, ["gpu_step_bytes", ...from]];
}

function desktopGpu(device, facts) {
  const [whole, from] = ram(device, facts);
  const lower = whole.lower === null ? null : whole.lower * facts.row("gpu_share_desktop").low;
  if (device.platform !== "macos" || whole.upper === null) return [{ lower, upper: null }, ["gpu_share_desktop", ...from]];
  const upper = whole.upper * facts.row("gpu_share_macos").high;
  return [{ lower, upper }, ["gpu_share_desktop", "gpu_share_macos", ...from]];
}
