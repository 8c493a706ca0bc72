/**
 * sizeup-browser: can this visitor's tab download and run this model, in which engine, and how fast?
 *
 *   import { canRun } from "./sizeup-browser.js";
 *   const answer = await canRun("Llama-3.2-1B-Instruct", { engine: "webllm" });
 *   if (answer.verdict === "yes") offer(answer.download.bytes);
 *
 * No dependencies, no build step, no request but for its own two data files. README.md describes every field.
 */

import { measure as measureTab } from "./measure.js";
import { probe as probeTab } from "./probe.js";
import { facts, loadLimits } from "./rules/limits.js";
import { judge } from "./rules/verdict.js";

let known = null;
let tab = null;
let lately = {};

/** Every build that is known: {id, engine, name, quant, bytes, …}. `engine` and `text` narrow the list. */
export async function models({ engine = null, text = "" } = {}) {
  known ??= fetch(new URL("./models.json", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`models.json: ${answer.status}`);
    return answer.json();
  });
  const { models: all } = await known;
  const id = engine ? await engineId(engine) : null;
  const wanted = text.toLowerCase();
  return all.filter((one) => (!id || one.engine === id) && (!wanted || one.id.toLowerCase().includes(wanted)));
}

/** The engines: {id, name, version, engine_bytes, …}. */
export const engines = async () => (await loadLimits()).engines;

/** A fact that an answer's `evidence` names: {value | low, high, kind, source, date}; null when there is none of that name. */
export const evidence = async (name) => (await loadLimits()).facts[name] ?? null;

/** What this tab tells of itself. Asked once and kept; `fresh` asks again. */
export function probe({ fresh = false } = {}) {
  if (fresh || !tab) tab = probeTab();
  return tab;
}

/** Measure this tab for about three seconds (after a click, please). Later answers of `canRun` use what was found. */
export async function measure(options = {}) {
  lately = { ...lately, ...(await measureTab({ device: await probe(), ...options })) };
  return lately;
}

/**
 * Whether a tab can download and run a model. `model` is an id or name of `models()`, or an object of your own:
 * {engine, bytes, largestTensorBytes, parameters, activeParameters, bytesPerToken, quant, features, gated, kind}.
 * `engine` chooses among builds of one name; `device` and `measured` stand in for this tab. Without an engine the best
 * answer of all builds comes first, the rest in `others`.
 */
export async function canRun(model, { engine = null, device = null, measured = null } = {}) {
  const where = { ...(device ?? (await probe())), ...(measured ?? (device ? {} : lately)) };
  const rules = facts(await loadLimits());
  const id = engine ? await engineId(engine) : null;
  const builds = typeof model === "object" && model !== null ? [await described(model, id)] : await named(model, id);
  const answers = builds.map((build) => ({ ...judge(build, where, rules), build }));
  answers.sort((a, b) => RANK.indexOf(a.verdict) - RANK.indexOf(b.verdict));
  const [best, ...others] = answers;
  return { ...best, others };
}

const RANK = ["yes", "maybe", "unknown", "no"];

async function engineId(name) {
  const all = await engines();
  const word = name.toLowerCase();
  const found = all.find((one) => [one.id, one.name.toLowerCase(), ...one.aliases].includes(word));
  if (!found) throw new TypeError(`no engine is called “${name}”; there are ${all.map((one) => one.id).join(", ")}`);
  return found.id;
}

/** A model of the caller's own. f16 formats need shader-f16 unless the caller says which features it takes. */
async function described(model, id) {
  const engine = id ?? (model.engine ? await engineId(model.engine) : null);
  if (!engine) throw new TypeError("name the engine: canRun({bytes, …}, {engine: “wllama”})");
  const f16 = engine !== "wllama" && /f16|fp16/.test(model.quant ?? "");
  return { kind: "chat", features: f16 ? ["shader-f16"] : [], ...model, engine };
}

/** Builds of that id, else of that name, else whose name holds it: smallest first, as the list is. */
async function named(name, id) {
  if (id === "builtin" && !name) name = "gemini-nano";
  const all = await models({ engine: id });
  const word = String(name).toLowerCase();
  const bare = (one) => one.name.toLowerCase().split("/").at(-1);
  for (const same of [(one) => one.id.toLowerCase() === word, (one) => one.name.toLowerCase() === word || bare(one) === word, (one) => bare(one).includes(word)]) {
    const found = all.filter(same);
    if (found.length) return found;
  }
  throw new TypeError(`no build of “${name}” is known${id ? ` for ${id}` : ""}; describe it: {bytes, parameters, …}`);
}
