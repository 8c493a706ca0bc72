// The measurement that a visitor starts: WebAssembly for a second, WebGPU for a second where there is one. Sends nothing.

import { gpuRates } from "./gpu-rates.js";
import { networkRate } from "./network-rate.js";
import { isMobile } from "./rules/room.js";
import { wasmRates } from "./wasm-rates.js";

const MIB = 2 ** 20;
const WORKER_MS = 30000;

/** Runs wasm-rates.js in a worker. One of another origin may not be started, but may be imported by one of this page's own. */
function inWorker(task) {
  const url = new URL("./wasm-rates.js", import.meta.url);
  const own = url.origin === globalThis.location?.origin;
  const address = own ? url : URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" }));
  return new Promise((done, fail) => {
    const worker = new Worker(address, { type: "module" });
    const timer = setTimeout(() => end(() => fail(new Error("the worker did not answer"))), WORKER_MS);
    const end = (then) => {
      clearTimeout(timer);
      worker.terminate();
      if (!own) URL.revokeObjectURL(address);
      then();
    };
    worker.addEventListener("message", ({ data }) => end(() => (data.error ? fail(new Error(data.error)) : done(data.rates))));
    worker.addEventListener("error", (event) => end(() => fail(new Error(event.message || "the worker did not start"))));
    // A module worker listens only once its imports have arrived, and messages wait for that.
    worker.postMessage(task);
  });
}

/**
 * Measure this tab. `ms` is spent on each of the loops; `allocateBytes` also tries how much GPU memory there is (0: not
 * tried); `networkUrl` also times a file that you name: that, and nothing else, makes a request.
 */
export async function measure({ device = {}, ms = 800, allocateBytes = 0, networkUrl = null, onStep = () => {} } = {}) {
  const task = { bytes: (isMobile(device) ? 64 : 128) * MIB, ms };
  const began = performance.now();
  onStep("wasm");
  let where = "worker";
  let cpu = {};
  if (device.wasmSimd !== false) {
    cpu = await inWorker(task).catch(() => {
      where = "page";
      return wasmRates(task);
    });
  }
  onStep("gpu");
  const gpu = device.webgpu === "no-api" || device.webgpu === "no-adapter" ? {} : await gpuRates({ ms, allocateBytes });
  onStep("network");
  const network = networkUrl ? { networkBytesPerS: await networkRate(networkUrl) } : {};
  return { ...cpu, ...gpu, ...network, measuredIn: where, measuredMs: Math.round(performance.now() - began) };
}
