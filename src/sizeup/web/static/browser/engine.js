// wllama (llama.cpp in WebAssembly), fetched when a visitor asks for it: from this server where it has a copy, else pinned
// from a content delivery network. Every file is checked against its hash before anything of it runs.

const VERSION = "3.8.1";
const CDN = "https://cdn.jsdelivr.net/npm/";

const PARTS = {
  main: { file: "wllama/esm/index.js", cdn: `@wllama/wllama@${VERSION}/esm/index.js`, bytes: 382633, type: "text/javascript", integrity: "sha384-prue3k/WDKn/IwjBdMzQoEq1saYB/CZG9GTX+Pb6FxWKiKa14jg6b7AnwctBvD6O" },
  wasm: { file: "wllama/esm/wasm/wllama.wasm", cdn: `@wllama/wllama@${VERSION}/esm/wasm/wllama.wasm`, bytes: 8763949, type: "application/wasm", integrity: "sha384-56p/t0mFNj87LTqSNRyYCBY3VPJAzWVLU3PY24Q69/zq6K9V2rPPig7HXMnKcK/c" },
  compatWorker: { file: "wllama-compat/wasm/wllama.js", cdn: `@wllama/wllama-compat@${VERSION}/wasm/wllama.js`, bytes: 171615, type: "text/javascript", integrity: "sha384-s1NNabSFVb7sOehGTnUE23ExQIyu72v0XVkPoke2pGTvW5bbdOH/dpnotByMbMSQ" },
  compatWasm: { file: "wllama-compat/wasm/wllama.wasm", cdn: `@wllama/wllama-compat@${VERSION}/wasm/wllama.wasm`, bytes: 16005007, type: "application/wasm", integrity: "sha384-LnJZl8deN9JoVVe251X91Zx8Ds/SygtH8ad5aSRJRYYk4OfVNKS4TJS1RpWjsK+0" },
};

/** Where the engine would come from: {host: null} for this very server (`?engines=/engines/`, or the meta tag), and its bytes. */
export function engineSource(device, address = location) {
  const asked = new URLSearchParams(address.search).get("engines") ?? document.querySelector('meta[name="sizeup-engines"]')?.content;
  const own = asked ? new URL(asked.endsWith("/") ? asked : `${asked}/`, address.href) : null;
  const compat = !(device.wasmMemory64 && device.wasmJspi);
  const parts = compat ? ["main", "wasm", "compatWorker", "compatWasm"] : ["main", "wasm"];
  // Only this server may stand in for the network: an address in a link must not choose whose code runs.
  const here = own !== null && own.origin === address.origin;
  return { base: here ? own : null, host: here ? null : new URL(CDN).host, compat, parts, bytes: parts.reduce((sum, part) => sum + PARTS[part].bytes, 0) };
}

/** The file as an address of this page's own, once its hash is what it should be. */
async function fetched(part, base) {
  const { file, cdn, integrity, type } = PARTS[part];
  const answer = await fetch(base ? new URL(file, base) : CDN + cdn, { integrity, credentials: "omit" });
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  return URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type }));
}

/** A wllama that is ready to load a model, quiet but for its own last words. */
export async function loadEngine(source) {
  const addresses = await Promise.all(source.parts.map((part) => fetched(part, source.base)));
  const at = Object.fromEntries(source.parts.map((part, i) => [part, addresses[i]]));
  const { Wllama } = await import(at.main);
  const said = [];
  const keep = (...words) => said.push(words.join(" "));
  const engine = new Wllama({ default: at.wasm }, { logger: { debug: keep, log: keep, warn: keep, error: keep } });
  engine.setCompat(source.compat ? { worker: at.compatWorker, wasm: at.compatWasm } : null, "firefox_safari");
  return { engine, said, release: () => addresses.forEach((address) => URL.revokeObjectURL(address)) };
}

/**
 * Load a file and go on with a prompt, on the processor. `onText` gets what has been written so far. Tells what really ran:
 * threads and build are asked of the engine, not of the settings.
 */
export async function run(source, file, { prompt, tokens = 48, contextTokens = 2048, threads = undefined, onStep = () => {}, onText = () => {} }) {
  onStep("fetching");
  const { engine, said, release } = await loadEngine(source);
  try {
    onStep("loading");
    const began = performance.now();
    await engine.loadModel([file], { n_ctx: contextTokens, n_gpu_layers: 0, n_parallel: 1, ...(threads ? { n_threads: threads } : {}) });
    const loadedS = (performance.now() - began) / 1000;
    onStep("generating");
    const stream = await engine.createCompletion({ prompt, max_tokens: tokens, temperature: 0, stream: true });
    let text = "";
    const times = [];
    for await (const piece of stream) {
      times.push(performance.now());
      text += piece.choices?.[0]?.text ?? "";
      onText(text);
    }
    // The first token waits for the prompt, and the first few run before WebAssembly is compiled for speed.
    const skipped = Math.min(8, Math.max(0, times.length - 2));
    const tokensPerS = times.length > 1 ? ((times.length - 1 - skipped) * 1000) / (times.at(-1) - times[skipped]) : null;
    return { text, tokens: times.length, loadedS, tokensPerS, threads: engine.getNumThreads(), build: source.compat ? "compat" : "memory64", said };
  } finally {
    await engine.exit().catch(() => {});
    release();
  }
}
