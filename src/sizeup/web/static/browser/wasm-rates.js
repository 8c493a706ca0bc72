// Times the two loops of kernel.js on one thread. Runs in a worker; imported by a page that cannot have one, it runs there.

import { FLOPS_A_TURN, PAGE, kernel } from "./kernel.js";

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Bytes read and floating point operations a second: medians of short slices after a warm-up. */
export async function wasmRates({ bytes, ms }) {
  const memory = new WebAssembly.Memory({ initial: bytes / PAGE });
  const { instance } = await WebAssembly.instantiate(kernel(), { env: { memory } });
  const { read, compute } = instance.exports;
  // Fresh memory is one shared page of zeros, which reads at the speed of a cache: fill it first.
  new Float32Array(memory.buffer).fill(1);
  // The first turns run in the engine's quick compiler; a fifth of the time goes into warming up.
  const rate = async (work, amount) => {
    const slices = [];
    const start = performance.now();
    for (;;) {
      const began = performance.now();
      work();
      const now = performance.now();
      if (now - start > ms / 5) slices.push((amount * 1000) / Math.max(now - began, 0.001));
      if (now - start > ms && slices.length > 2) return median(slices);
      await pause();
    }
  };
  const slab = Math.min(bytes, 2 ** 31);
  const turns = 1e6;
  return {
    wasmReadBytesPerS: await rate(() => read(0, slab), slab),
    wasmFlopsPerS: await rate(() => compute(turns), turns * FLOPS_A_TURN),
  };
}

/** Lets a page draw between slices; in a worker it costs nothing that is timed. */
const pause = () => new Promise((done) => setTimeout(done));

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  self.addEventListener("message", async ({ data }) => {
    try {
      self.postMessage({ rates: await wasmRates(data) });
    } catch (error) {
      self.postMessage({ error: String(error) });
    }
  });
}
