// What it takes to train a model: the peak on one GPU part by part, against the memory it has.

import { html, useRef, useState } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Bar } from "../parts/bar.js";
import { Failed } from "../parts/failed.js";
import { Command, csv, picture, save } from "../parts/share.js";
import { MachinePicker, ModelPicker, useMachine } from "./question.js";
import { shortName } from "./fit.js";
import { bytes, named, number, percent, t } from "../text.js";
import { chosen, commandLine } from "../state.js";

const METHODS = ["full", "lora", "qlora", "dora"];
const OPTIMIZERS = ["adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor", "lion", "sgd", "muon"];
const ASKED = ["on", "ram", "method", "optimizer", "batch", "sequence", "rank", "checkpointing"];

export default function Train({ state, change }) {
  const given = { method: "lora", ...chosen(state, ASKED) };
  const values = state.checkpointing === "false" ? given : { ...given, checkpointing: "true" };
  const model = useAnswer("model", state.model ? { model: state.model } : null);
  const machine = useMachine(state);
  const { answer, failure, stale } = useAnswer("train", state.model ? { model: state.model, ...values } : null);
  const adapters = given.method !== "full";
  const count = (name, fallback, key, step = 1) => html`<label>${t(key)}<input type="number" min="1" step=${step} value=${state[name] || fallback} onChange=${(event) => change({ [name]: event.target.value })} /></label>`;
  return html`<div class="columns">
    <form class="question" onSubmit=${(event) => event.preventDefault()}>
      <${ModelPicker} state=${state} change=${change} model=${model.answer} />
      <${MachinePicker} state=${state} change=${change} machine=${machine.answer} failure=${machine.failure} />
      <fieldset class="field segments"><legend>${t("page.method")}</legend>${METHODS.map((name) => html`<label><input type="radio" name="method" checked=${given.method === name} onChange=${() => change({ method: name })} /><span>${name === "full" ? t("page.method_full") : name === "qlora" ? "QLoRA" : name === "dora" ? "DoRA" : "LoRA"}</span></label>`)}</fieldset>
      <div class="field two">
        <label>${t("page.optimizer")}<select onChange=${(event) => change({ optimizer: event.target.value })}>${OPTIMIZERS.map((name) => html`<option value=${name} selected=${name === (state.optimizer || "adamw")}>${name}</option>`)}</select></label>
        ${count("sequence", 2048, "page.sequence", 128)}
        ${count("batch", 1, "page.micro_batch")}
        ${adapters && count("rank", 16, "page.rank")}
      </div>
      <label class="check"><input type="checkbox" checked=${state.checkpointing !== "false"} onChange=${(event) => change({ checkpointing: event.target.checked ? "" : "false" })} /> ${t("page.checkpointing")}</label>
    </form>
    <section class=${stale ? "answer stale" : "answer"} aria-busy=${stale}>
      ${failure ? html`<${Failed} failure=${failure} />` : answer ? html`<${Peak} answer=${answer} />` : html`<div class="skeleton long"></div>`}
      <section class="panel take"><${Command} title=${t("page.same_question")} line=${commandLine("train", [state.model ?? ""], values)} />
        <div class="buttons"><button type="button" class="quiet" onClick=${() => save("training.json", "application/json", JSON.stringify(answer, null, 2))}>JSON</button>
        <button type="button" class="quiet" onClick=${() => save("training.csv", "text/csv", csv(Object.entries(answer.parts).map(([part, count]) => ({ part: part.replace(/_bytes$/, ""), bytes: count }))))}>CSV</button>
        <button type="button" class="quiet" onClick=${() => save("training.svg", "image/svg+xml", picture([...document.querySelectorAll(".bars figure")]))}>SVG</button></div></section>
    </section>
  </div>`;
}

function Peak({ answer }) {
  const [lit, light] = useState(null);
  const parts = Object.entries(answer.parts).map(([key, count]) => ({ part: key.replace(/_bytes$/, ""), bytes: count })).filter((run) => run.bytes > 0);
  const process = answer.process_bytes - parts.reduce((sum, run) => sum + run.bytes, 0);
  const limit = answer.limit_bytes ?? answer.process_bytes;
  const stacked = [...parts, ...(process > 0 ? [{ part: "process", bytes: process }] : [])];
  const stack = { limit, needed: answer.process_bytes, whole: Math.max(limit, answer.process_bytes), runs: [...stacked, ...(limit > answer.process_bytes ? [{ part: "free", bytes: limit - answer.process_bytes }] : [])] };
  const verdict = answer.limit_bytes == null ? null : answer.fits;
  const facts = [
    ["page.trained", `${number(answer.trained_parameters)} (${percent(answer.trained_parameters / answer.parameters, 2)})`],
    ["page.peak_at", named("leaf", answer.peak_at)],
    ["page.reserved", bytes(answer.reserved_bytes)],
    ["page.checkpoint", bytes(answer.checkpoint_bytes)],
    ["page.host", answer.host_bytes ? bytes(answer.host_bytes) : null],
  ];
  return html`<section class="panel verdict">
    ${verdict !== null && html`<p class="mark ${verdict ? "good" : "bad"}"><span aria-hidden="true">${verdict ? "✓" : "✗"}</span> ${t(verdict ? "fit.fits" : "fit.no")}</p>`}
    <h1>${shortName(answer.model)} <small>${answer.recipe.method} · ${answer.recipe.optimizer}</small></h1>
    <p role="status" aria-live="polite" class="summary">${t("page.sentence_train", { peak: bytes(answer.peak_bytes), process: bytes(answer.process_bytes) })}</p>
    <div class="bars"><${Bar} name=${answer.limit_bytes == null ? t("page.one_gpu") : answer.machine} stack=${stack} lit=${lit} onLit=${light} /></div>
    <div class="scroll"><table class="parts short"><tbody>${stacked.map((run) => html`<tr class=${lit === run.part ? "lit" : ""} onMouseEnter=${() => light(run.part)} onMouseLeave=${() => light(null)}>
      <th scope="row"><i class="swatch" data-part=${run.part} aria-hidden="true"></i>${named("part", run.part)}</th><td class="number">${bytes(run.bytes)}</td></tr>`)}</tbody></table></div>
    <dl class="facts-list">${facts.filter(([, value]) => value).map(([key, value]) => html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>`)}</dl>
    <p class="fine">${named("kind", answer.source.kind)}: ${answer.source.where} (${answer.source.date})</p>
  </section>`;
}
