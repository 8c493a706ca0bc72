// The left column: which model, which machine, which settings. Everything read from the machine can be overruled.

import { html, useState } from "../vendor/htm-preact.js";
import { forget, useAnswer } from "../api.js";
import { Badge } from "../parts/badge.js";
import { Combobox } from "../parts/combobox.js";
import { ContextSlider } from "../parts/context.js";
import { readHeader } from "../parts/drop.js";
import { bytes, number, parameters, t } from "../text.js";
import { chosen } from "../state.js";

/** What names a machine and what of it is overruled. */
export const PLACE = ["on", "ram", "vram", "bandwidth", "in_use"];

const KV_TYPES = ["f16", "q8_0", "q4_0"];

export function Question({ state, change, answer, grid, model, machine }) {
  return html`<form class="question" onSubmit=${(event) => event.preventDefault()}>
    <${ModelPicker} state=${state} change=${change} model=${model} />
    <${MachinePicker} state=${state} change=${change} machine=${machine.answer} failure=${machine.failure} />
    <${EnginePicker} state=${state} change=${change} />
    <${ContextSlider} value=${Number(state.context || answer?.settings.context_tokens || 8192)} trained=${model?.context_tokens} longest=${answer?.longest_context_tokens} onPick=${(tokens) => change({ context: String(tokens) })} />
    <div class="field two">
      <label>${t("page.quant")}<select value=${state.quant ?? ""} onChange=${(event) => change({ quant: event.target.value })}>
        <option value="">${unsaid(model)}</option>
        ${mixes(grid, state.quant).map((mix) => html`<option value=${mix} selected=${mix === state.quant}>${mix}</option>`)}
      </select></label>
      <label>${t("page.users")}<input type="number" min="1" max="4096" value=${state.users || 1} onChange=${(event) => change({ users: event.target.value === "1" ? "" : event.target.value })} /></label>
    </div>
    ${!state.engine && html`<fieldset class="field segments"><legend>${t("page.kv_type")}</legend>${KV_TYPES.map((type) => html`<label><input type="radio" name="kv" value=${type} checked=${(state.kv_type || "f16") === type}
      onChange=${() => change({ kv_type: type === "f16" ? "" : type })} /><span>${type}</span></label>`)}</fieldset>`}
  </form>`;
}

/** The engine to plan for. Its mixes and cache formats are its own, so a change of engine lets go of what was chosen of them. */
function EnginePicker({ state, change }) {
  const { answer } = useAnswer("names", { kind: "engine" });
  const engines = answer?.names.map((row) => row.name) ?? [state.engine || "llama.cpp"];
  return html`<div class="field"><label>${t("page.engine")}<select onChange=${(event) => change({ engine: event.target.value === engines[0] ? "" : event.target.value, quant: "", kv_type: "" })}>
    ${engines.map((name) => html`<option value=${name} selected=${name === (state.engine || engines[0])}>${name}</option>`)}</select></label></div>`;
}

/** What no choice of a mix means: what the model's name or file says, else the best one. */
function unsaid(model) {
  if (model?.stored === "gguf") return t("fit.as_stored");
  return model?.quant ? t("page.as_named", { quant: model.quant }) : t("page.best_that_fits");
}

/** The mixes to choose from: those of the map, with the one that a link names. */
function mixes(grid, chosen) {
  const known = grid?.quants ?? [];
  return chosen && !known.includes(chosen) ? [...known, chosen] : known;
}

/** The machine that the state names, as the server sees it. */
export function useMachine(state) {
  const { on, ...given } = chosen(state, PLACE);
  return useAnswer("machine", { ...given, ...(on && { name: on }) });
}

export function ModelPicker({ state, change, model, name = "model", id = "model", shortcut = "/" }) {
  const [over, hover] = useState(false);
  const [failure, fail] = useState(null);
  const take = async (file) => {
    fail(null);
    try {
      const read = await readHeader(file);
      change({ [name]: read.model, quant: "", label: read.name });
    } catch (error) {
      fail(error.message);
    }
  };
  const drop = (event) => {
    event.preventDefault();
    hover(false);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  };
  const dropped = (state[name] ?? "").startsWith("header:");
  return html`<div class=${over ? "drop over" : "drop"} onDragOver=${(event) => { event.preventDefault(); hover(true); }} onDragLeave=${() => hover(false)} onDrop=${drop}>
    <${Combobox} id=${id} kind="model" label=${t("page.model")} shortcut=${shortcut} value=${state[name] ?? ""} shown=${dropped ? model?.name ?? state.label : undefined} hint=${t("page.model_hint")} onPick=${(picked) => change({ [name]: picked, quant: "", label: "" })} />
    <p class="hint">${model ? t("page.model_line", { parameters: parameters(model.parameters), context: model.context_tokens ? number(model.context_tokens) : "?" }) : "\u00a0"}</p>
    <p class="hint"><label class="link">${t("page.drop_hint")}<input type="file" accept=".gguf" class="unseen" onChange=${(event) => event.target.files[0] && take(event.target.files[0])} /></label></p>
    ${failure && html`<p class="bad" role="alert">${failure}</p>`}
  </div>`;
}

export function MachinePicker({ state, change, machine, failure, name = "on", id = "machine" }) {
  const cleared = { ram: "", vram: "", bandwidth: "", in_use: "" };
  return html`<div>
    <${Combobox} id=${id} kind="machine" label=${t("page.machine")} value=${state[name] || t("machine.this")} first=${[{ name: "", label: t("machine.this"), detail: "" }]} hint=${t("page.machine_hint")}
      onPick=${(picked) => change({ [name]: picked, ...cleared })} />
    ${failure && html`<p class="bad" role="alert">${failure.message}</p>`}
    ${!failure && html`<ul class="facts">${(machine ? facts(machine) : []).map((fact) => html`<${Fact} key=${fact.option} fact=${fact} given=${state[fact.option]} onGive=${(value) => change({ [fact.option]: value })} />`)}
      ${machine && state[name] && machine.devices.length > 0 && machine.pools.some((pool) => pool.name.startsWith("vram")) && html`<${Cards} name=${state[name]} onPick=${(picked) => change({ [name]: picked })} />`}
      ${machine && !state[name] && html`<li><button type="button" class="link" onClick=${() => { forget(); change({ seen: String(Date.now() % 1e6) }); }}>${t("page.look_again")}</button></li>`}</ul>`}
  </div>`;
}

/** What of a machine decides most, each with the option that overrules it. */
function facts(machine) {
  const found = [];
  const host = machine.pools.find((pool) => pool.name === "ram" || pool.name === "unified");
  const card = machine.pools.find((pool) => pool.name.startsWith("vram"));
  if (host) found.push({ option: "ram", label: t(host.name === "ram" ? "pool.ram" : "pool.unified"), value: bytes(host.bytes), kind: host.source.kind, title: host.source.where });
  if (card) found.push({ option: "vram", label: t("page.vram"), value: bytes(card.bytes), kind: card.source.kind, title: card.source.where });
  const main = card ?? host;
  if (main?.bytes_per_s) found.push({ option: "bandwidth", label: t("page.bandwidth"), value: `${number(main.bytes_per_s / 1e9)} GB/s`, kind: main.bandwidth_source.kind, title: main.bandwidth_source.where });
  if (main) found.push({ option: "in_use", label: t("page.in_use"), value: bytes(main.bytes - main.free_bytes), kind: main.source.kind, title: main.source.where });
  return found;
}

function Fact({ fact, given, onGive }) {
  const [typing, type] = useState(null);
  const done = () => { onGive(typing.trim()); type(null); };
  return html`<li><span>${fact.label}</span>
    ${typing === null
      ? html`<button type="button" class="figure" title=${t("page.overrule")} onClick=${() => type(given ?? "")}>${fact.value}</button>`
      : html`<input type="text" size="9" autofocus value=${typing} placeholder=${fact.value} aria-label=${fact.label} onInput=${(event) => type(event.target.value)} onBlur=${done}
          onKeyDown=${(event) => (event.key === "Enter" ? done() : event.key === "Escape" && type(null))} ref=${(box) => box?.focus()} />`}
    <${Badge} kind=${given ? "given" : fact.kind} title=${fact.title} />
    ${given && html`<button type="button" class="link" aria-label=${t("page.undo", { what: fact.label })} onClick=${() => onGive("")}>↺</button>`}
  </li>`;
}

/** How many of a card: "2x rtx-3090" is what the server reads. Machines joined by "and" are typed. */
function Cards({ name, onPick }) {
  const [, count = "1", card] = /^(?:(\d+)x )?(.+)$/.exec(name);
  if (/ and |^[a-z]+\d*[a-z]*\.[\dx]*large/i.test(card)) return null;
  const pick = (cards) => onPick(cards === 1 ? card : `${cards}x ${card}`);
  return html`<li><span>${t("page.cards")}</span>
    <button type="button" class="step" disabled=${count === "1"} aria-label=${t("page.fewer")} onClick=${() => pick(Number(count) - 1)}>−</button>
    <b>${count}</b>
    <button type="button" class="step" disabled=${Number(count) >= 16} aria-label=${t("page.more")} onClick=${() => pick(Number(count) + 1)}>+</button></li>`;
}
