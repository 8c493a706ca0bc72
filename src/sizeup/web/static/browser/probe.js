// What a page can learn of its browser and machine without asking for anything, sending anything or taking more than
// a few milliseconds. Everything may be unknown: null. README.md describes each field.

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const nothing = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00]; // a function of no arguments and no result

/** Whether the browser accepts a module with this code; nothing is run. */
const accepts = (...sections) => {
  try {
    return WebAssembly.validate(new Uint8Array([...header, ...sections.flat()]));
  } catch {
    return false;
  }
};

const code = (...body) => [0x0a, body.length + 4, 0x01, body.length + 2, 0x00, ...body, 0x0b];
const drop = 0x1a;
const splat = [0x41, 0x00, 0xfd, 0x0f]; // i32.const 0, i8x16.splat
const sharedMemory = [0x05, 0x04, 0x01, 0x03, 0x01, 0x01];
const longMemory = [0x05, 0x03, 0x01, 0x04, 0x01];

function wasm() {
  if (typeof WebAssembly !== "object") {
    return { wasmSimd: false, wasmRelaxedSimd: false, wasmThreads: false, wasmMemory64: false, wasmJspi: false };
  }
  return {
    wasmSimd: accepts(nothing, code(...splat, drop)),
    wasmRelaxedSimd: accepts(nothing, code(...splat, ...splat, 0xfd, 0x80, 0x02, drop)),
    wasmThreads: accepts(nothing, sharedMemory, code(0x41, 0x00, 0xfe, 0x10, 0x02, 0x00, drop)),
    wasmMemory64: accepts(longMemory),
    wasmJspi: "Suspending" in WebAssembly,
  };
}

/** "windows", "macos", "linux", "chromeos", "android" or "ios". An iPad says that it is a Mac; only a Mac has no touch. */
function platform() {
  const told = (navigator.userAgentData?.platform || navigator.platform || "").toLowerCase();
  const agent = navigator.userAgent;
  if (/android/i.test(agent)) return "android";
  if (/iphone|ipad|ipod/i.test(agent)) return "ios";
  if (told.includes("mac")) return navigator.maxTouchPoints > 1 ? "ios" : "macos";
  if (told.includes("win")) return "windows";
  if (told.includes("cros") || told.includes("chrome") || agent.includes("CrOS")) return "chromeos";
  return told.includes("linux") ? "linux" : null;
}

/** ["chrome" | "firefox" | "safari" | null, major version]: the engine, not the brand. On iOS every browser is Safari inside. */
function browser(system) {
  const agent = navigator.userAgent;
  const major = (pattern) => Number(pattern.exec(agent)?.[1]) || null;
  const chromium = navigator.userAgentData?.brands?.find((one) => one.brand === "Chromium");
  if (system === "ios") return ["safari", major(/Version\/(\d+)/)];
  if (chromium) return ["chrome", Number(chromium.version) || null];
  if (/Chrome\/\d/.test(agent)) return ["chrome", major(/Chrome\/(\d+)/)];
  if (/Firefox\/\d/.test(agent)) return ["firefox", major(/Firefox\/(\d+)/)];
  if (/Safari\//.test(agent)) return ["safari", major(/Version\/(\d+)/)];
  return [null, null];
}

/** Give up waiting after so many milliseconds: a driver that hangs must not hang the page. */
export function within(ms, promise, otherwise = null) {
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, ms, otherwise)));
  return Promise.race([Promise.resolve(promise).catch(() => otherwise), late]).finally(() => clearTimeout(timer));
}

const ADAPTER_MS = 5000;

/** The adapter that engines ask for too; null when there is none. */
export const adapter = () =>
  within(ADAPTER_MS, navigator.gpu ? navigator.gpu.requestAdapter({ powerPreference: "high-performance" }) : null);

async function webgpu() {
  const empty = { features: null, maxBufferSize: null, maxStorageBufferBindingSize: null, maxComputeWorkgroupStorageSize: null, gpu: null };
  if (!globalThis.isSecureContext || !navigator.gpu) return { webgpu: "no-api", ...empty };
  const found = await adapter();
  if (!found) return { webgpu: "no-adapter", ...empty };
  const { info = {}, limits } = found;
  const fallback = info.isFallbackAdapter ?? found.isFallbackAdapter ?? false;
  return {
    webgpu: fallback ? "fallback" : "adapter",
    features: [...found.features].sort(),
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    gpu: { vendor: info.vendor || null, architecture: info.architecture || null, description: info.description || info.device || null },
  };
}

async function storage() {
  const told = (await within(2000, navigator.storage?.estimate?.())) ?? {};
  const persisted = await within(2000, navigator.storage?.persisted?.());
  return { quota: told.quota ?? null, usage: told.usage ?? null, persisted: persisted ?? null };
}

/** What the browser's own model is: "no-api", "unavailable", "downloadable", "downloading" or "available". */
async function builtin() {
  if (typeof LanguageModel === "undefined") return "no-api";
  const options = { expectedInputs: [{ type: "text", languages: ["en"] }], expectedOutputs: [{ type: "text", languages: ["en"] }] };
  return within(3000, LanguageModel.availability(options));
}

/** Everything of this tab that decides what runs in it. Sends nothing; asks for no permission. */
export async function probe() {
  const system = platform();
  const [name, major] = browser(system);
  const [gpu, room, own] = await Promise.all([webgpu(), storage(), builtin()]);
  return {
    platform: system,
    browser: name,
    browserMajor: major,
    deviceMemory: navigator.deviceMemory ?? null,
    hardwareConcurrency: navigator.hardwareConcurrency ?? null,
    secureContext: globalThis.isSecureContext ?? null,
    crossOriginIsolated: globalThis.crossOriginIsolated ?? false,
    ...wasm(),
    ...gpu,
    ...room,
    saveData: navigator.connection?.saveData ?? null,
    builtin: own,
  };
}
