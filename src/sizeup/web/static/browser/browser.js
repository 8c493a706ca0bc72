// The page: asks the browser at once, tests it on a click, shows what becomes of each model. Draws; the rules are elsewhere.

import { better, byEngine, families } from "./families.js";
import { element, formats } from "./format.js";
import { engineRow, mark } from "./rows.js";
import { facts, loadLimits } from "./rules/limits.js";
import { judge } from "./rules/verdict.js";
import { runForm } from "./run-form.js";
import { networkRate } from "./network-rate.js";
import { engines, measure, models, probe } from "./sizeup-browser.js";
import { rates, told, whatRan } from "./told.js";
import { chosenLanguage, loadWords } from "./words.js";

const FIRST = "qwen3-0.6b";
const HOST = "huggingface.co";
const at = (id) => document.getElementById(id);
const state = { language: "en", say: null, show: null, device: null, measured: {}, list: [], answers: new Map(), chosen: FIRST };

async function start() {
  const asked = Promise.all([probe(), models(), loadLimits(), engines()]);
  asked.catch(() => {}); // told below, once there are words for it
  setTimeout(show, SHOWN_MS);
  await speak(chosenLanguage());
  at("language").value = state.language;
  at("language").addEventListener("change", ({ target }) => changeLanguage(target.value));
  at("test").addEventListener("click", test);
  at("network").addEventListener("click", timeDownload);
  at("export").addEventListener("click", exportJson);
  at("search").addEventListener("input", drawList);
  at("only").addEventListener("change", drawList);
  at("list").addEventListener("change", ({ target }) => choose(target.value));
  window.addEventListener("hashchange", () => choose(fromHash() ?? state.chosen, false));
  try {
    const [device, all, limits, programs] = await asked;
    Object.assign(state, { device, limits, programs, rules: facts(limits), list: families(all) });
    state.builtin = all.find((one) => one.engine === "builtin");
    state.chosen = state.list.some((one) => one.family === fromHash()) ? fromHash() : FIRST;
    for (const name of ["test", "network", "export"]) at(name).disabled = false;
    draw();
    runForm(state, at);
    show();
  } catch (error) {
    show();
    at("status").textContent = state.say("failed", { error: error.message });
    throw error;
  }
}

async function speak(language) {
  Object.assign(state, { language, say: await loadWords(language), show: formats(language) });
  document.documentElement.lang = language;
  document.title = state.say("title");
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = state.say(one.dataset.t);
  at("search").placeholder = state.say("models.search");
  at("network").textContent = state.say("test.download", { host: HOST });
  if (state.measured.measuredIn) at("test").textContent = state.say("test.again");
  // The folder may be served alone; beside sizeup's main page the name leads there.
  if (/\/browser\/(index\.html)?$/.test(location.pathname)) at("home").href = `../?lang=${language}`;
}

/** The page is shown once it is whole, so that nothing moves under a reader; a browser that is slow to answer does not hold it up. */
const show = () => document.documentElement.classList.remove("waiting");
const SHOWN_MS = 1200;

/** Another language without a new page, so that what was measured stays. */
async function changeLanguage(language) {
  await speak(language);
  const address = new URL(location.href);
  address.searchParams.set("lang", language);
  history.replaceState(null, "", address);
  if (state.device) draw();
  state.drawRun?.();
}

const fromHash = () => new URLSearchParams(location.hash.slice(1)).get("model");

function judged() {
  const where = { ...state.device, ...state.measured };
  const answer = (build) => ({ ...judge(build, where, state.rules), build });
  state.answers = new Map(state.list.map((one) => [one.family, one.builds.map(answer).sort(better)]));
  state.own = answer(state.builtin);
}

function draw() {
  const { say, show, device, measured } = state;
  judged();
  at("told").replaceChildren(...told(say, show, device));
  const found = rates(say, show, device, measured);
  at("rates").replaceChildren(...found);
  at("rates").hidden = found.length === 0;
  if (measured.measuredIn) at("what").textContent = whatRan(say, device, measured);
  drawList();
  drawRows();
}

function drawList() {
  const { say, show } = state;
  const text = at("search").value.trim().toLowerCase();
  const best = (one) => state.answers.get(one.family)[0].verdict;
  const shown = state.list.filter((one) => [one.name, ...one.builds.map((build) => build.id)].some((name) => name.toLowerCase().includes(text)))
    .filter((one) => !at("only").checked || best(one) === "yes");
  const label = (one) =>
    element("label", { "data-verdict": best(one) },
      element("input", { type: "radio", name: "model", value: one.family, checked: one.family === state.chosen }),
      mark(say, best(one)),
      element("span", { class: "label" }, one.name),
      element("span", { class: "quiet" }, one.parameters ? show.parameters(one.parameters) : ""));
  at("list").replaceChildren(...(shown.length ? shown.map(label) : [element("label", {}, "", say("models.none"))]));
  // The chosen one in sight, without moving the page.
  const checked = at("list").querySelector(":checked")?.parentElement;
  if (checked) at("list").scrollTop = checked.offsetTop - at("list").clientHeight / 3;
  const count = (verdict) => state.list.filter((one) => best(one) === verdict).length;
  at("count").textContent = say("models.count", { runs: count("yes"), all: state.list.length, maybe: count("maybe") });
}

function choose(family, write = true) {
  if (!state.answers.has(family)) return;
  state.chosen = family;
  if (write) history.replaceState(null, "", `#model=${encodeURIComponent(family)}`);
  else drawList();
  drawRows();
}

function drawRows() {
  const { say, show, device, limits, programs } = state;
  const one = state.list.find((model) => model.family === state.chosen);
  const found = byEngine(state.answers.get(one.family));
  found.set("builtin", [state.own]);
  const context = { device, facts: limits.facts };
  // Engines that run it first, of those the ones whose speed is known; without a build last.
  const place = (engine) => {
    const [best] = found.get(engine.id) ?? [];
    if (!best) return 90;
    return ["yes", "maybe", "unknown", "no"].indexOf(best.verdict) * 10 + (best.speed.lower === null ? 1 : 0) + (engine.id === "builtin" ? 50 : 0);
  };
  const sorted = [...programs].sort((a, b) => place(a) - place(b));
  at("chosen").textContent = one.name;
  at("chosen").className = "";
  at("rows").replaceChildren(...sorted.map((engine) => engineRow(say, show, context, engine, found.get(engine.id) ?? [])));
}

async function test() {
  const { say } = state;
  at("test").disabled = true;
  try {
    const onStep = (step) => (at("status").textContent = say(`test.${step}`));
    // A real adapter is also asked how much memory it gives, up to what the larger models take.
    const found = await measure({ onStep, allocateBytes: state.device.webgpu === "adapter" ? 4 * 2 ** 30 : 0 });
    state.measured = { ...state.measured, ...found };
    at("status").textContent = state.say("test.done");
    draw();
    at("test").textContent = state.say("test.again");
  } catch (error) {
    at("status").textContent = state.say("test.failed", { error: error.message });
  }
  at("test").disabled = false;
}

/** Two seconds of a file that the chosen model, or one like it, would really download. */
async function timeDownload() {
  at("network").disabled = true;
  at("status").textContent = state.say("test.downloading");
  const all = state.list.flatMap((one) => (one.family === state.chosen ? one.builds : []));
  const { url } = [...all, ...state.list.flatMap((one) => one.builds)].find((build) => build.url);
  const rate = await networkRate(url);
  if (rate) state.measured = { ...state.measured, networkBytesPerS: rate };
  at("status").textContent = rate ? "" : state.say("test.no_download", { host: HOST });
  if (rate) draw();
  at("network").disabled = false;
}

function exportJson() {
  const content = { date: new Date().toISOString().slice(0, 10), ...state.device, ...state.measured };
  const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  element("a", { href: url, download: state.say("export.name") }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

start();
