// The list of models: builds of one model put together, sorted by size, each with the best verdict of all its builds.

const RANK = ["yes", "maybe", "unknown", "no"];

const tail = (name) => name.split("/").at(-1);
const clean = (name) => name.replace(/\.(task|litertlm|gguf)$/i, "").replace(/-(GGUF|ONNX(-GQA)?|web|int4-web|q4_0-web|q4_k_m|int4-Web)$/i, "");

/** [{family, name, parameters, builds}], smallest first. Models that generate nothing are left out. */
export function families(models) {
  const found = new Map();
  for (const model of models) {
    if (model.kind !== "chat") continue;
    const one = found.get(model.family) ?? { family: model.family, builds: [], parameters: null };
    one.builds.push(model);
    one.parameters ??= model.parameters ?? null;
    found.set(model.family, one);
  }
  for (const one of found.values()) {
    const names = one.builds.map((build) => clean(tail(build.name)));
    one.name = names.reduce((best, name) => (name.length < best.length ? name : best));
    one.bytes = Math.min(...one.builds.map((build) => build.bytes ?? build.memoryBytes ?? Infinity));
  }
  const size = (one) => one.parameters ?? one.bytes * 1.8;
  return [...found.values()].sort((a, b) => size(a) - size(b) || a.name.localeCompare(b.name));
}

export const better = (a, b) => RANK.indexOf(a.verdict) - RANK.indexOf(b.verdict);

/** Of a family's answers the best one for each engine: by verdict, then 16-bit over 32-bit arithmetic, then size. */
export function byEngine(answers) {
  const found = new Map();
  for (const answer of answers) found.set(answer.engine, [...(found.get(answer.engine) ?? []), answer]);
  for (const list of found.values()) list.sort((a, b) => better(a, b) || (a.download.bytes ?? 0) - (b.download.bytes ?? 0));
  return found;
}
