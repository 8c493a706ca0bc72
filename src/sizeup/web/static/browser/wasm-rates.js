// Times the two loops of kernel.js on one thread. Runs in a worker; imported by a page that cannot have one, it runs there.

import { FLOPS_A_TURN, PAGE, kernel } from "./kernel.js";

const WORKER = typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope;
const SLICE_MS = 50;

/** Bytes read and floating point operations a second: over all of the time after a warm-up, so that a busy processor shows. */
export async function wasmRates({ bytes, ms }) {
  const memory = new WebAssembly.Memory({ initial: bytes / PAGE });
  const { instance } = await WebAssembly.instantiate(kernel(), { env: { memory } });
  const { read, compute } = instance.exports;
  // Fresh memory is one shared page of zeros, which reads at the speed of a cache: fill it first.
  new Float32Array(memory.buffer).fill(1);
  // The first turns run in the engine's quick compiler; a fifth of the time goes into warming up.
  const rate = async (work, amount) => {
    const busy = async (forMs) => {
      let [count, spent] = [0, 0];
      while (spent < forMs) {
        // Long slices: a thread that sleeps often is let in first afterwards, as one that decodes is not.
        const began = performance.now();
        do {
          work();
          count++;
        } while (performance.now() - began < SLICE_MS);
        spent += performance.now() - began;
        if (!WORKER) await pause();
      }
      return (count * amount * 1000) / spent;
    };
    await busy(ms / 5);
    return busy(ms);
  };
  const slab = Math.min(bytes, 2 ** 31);
  const turns = 1e6;
  return {
    wasmReadBytesPerS: await rate(() => read(0, slab), slab),
    wasmFlopsPerS: await rate(() => compute(turns), turns * FLOPS_A_TURN),
  };
}

/** Lets a page draw between slices. */
const pause = () => new Promise((done) => setTimeout(done));

if (WORKER) {
  self.addEventListener("message", async ({ data }) => {
    try {
      self.postMessage({ rates: await wasmRates(data) });
    } catch (error) {
      self.postMessage({ error: String(error) });
    }
  });
}
