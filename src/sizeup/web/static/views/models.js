// Which models suit a machine: the whole catalogue ranked for a task, each row a link to its own answer.

import { html } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Failed } from "../parts/failed.js";
import { Command, csv, save } from "../parts/share.js";
import { MachinePicker, PLACE, useMachine } from "./question.js";
import { shortName } from "./fit.js";
import { bytes, number, parameters, percent, range, short, t } from "../text.js";
import { chosen, commandLine, writeState } from "../state.js";

const TASKS = ["chat", "code", "reasoning", "translate", "summarise", "rag", "vision", "embedding", "tools", "chinese"];
const CONTEXTS = [4096, 8192, 16384, 32768, 65536, 131072];
const WISHES = ["for", "context", "slowest", "license", "limit"];

export default function Models({ state, change }) {
  const values = chosen(state, [...PLACE, ...WISHES]);
  const machine = useMachine(state);
  const { answer, failure, stale } = useAnswer("models", { limit: "20", ...values });
  return html`<div class="columns">
    <form class="question" onSubmit=${(event) => event.preventDefault()}>
      <${MachinePicker} state=${state} change=${change} machine=${machine.answer} failure=${machine.failure} />
      <div class="field two">
        <label>${t("page.task")}<select onChange=${(event) => change({ for: event.target.value })}>${TASKS.map((task) => html`<option value=${task} selected=${task === (state.for || "chat")}>${t(`task.${task}`)}</option>`)}</select></label>
        <label>${t("page.context")}<select onChange=${(event) => change({ context: event.target.value })}>${CONTEXTS.map((tokens) => html`<option value=${tokens} selected=${tokens === Number(state.context || 8192)}>${short(tokens)}</option>`)}</select></label>
        <label>${t("page.slowest")}<input type="number" min="0" step="1" placeholder="4" value=${state.slowest ?? ""} onChange=${(event) => change({ slowest: event.target.value })} /></label>
        <label>${t("page.license")}<select onChange=${(event) => change({ license: event.target.value })}>
          <option value="">${t("page.any")}</option><option value="permissive" selected=${state.license === "permissive"}>${t("page.permissive")}</option></select></label>
      </div>
    </form>
    <section class=${stale ? "answer stale" : "answer"} aria-busy=${stale}>
      ${failure && html`<${Failed} failure=${failure} />`}
      <section class="panel"><h1 class="title">${t("page.models_title", { task: t(`task.${state.for || "chat"}`) })}</h1>
        ${answer ? html`<${Ranking} answer=${answer} state=${state} />` : html`<div class="skeleton long"></div>`}
        <p class="fine">${t("page.models_note")}</p>
      </section>
      <section class="panel take"><${Command} title=${t("page.same_question")} line=${commandLine("models", [], values)} />
        <div class="buttons"><button type="button" class="quiet" onClick=${() => save("models.json", "application/json", JSON.stringify(answer, null, 2))}>JSON</button>
        <button type="button" class="quiet" onClick=${() => save("models.csv", "text/csv", csv(answer.models.map(flat)))}>CSV</button></div></section>
    </section>
  </div>`;
}

function Ranking({ answer, state }) {
  if (!answer.models.length) return html`<p>${t("models.none")}</p>`;
  return html`<div class="scroll"><table class="ranking">
    <thead><tr><th scope="col">${t("models.model")}</th><th scope="col" class="number roomy">${t("models.parameters")}</th><th scope="col">${t("models.quant")}</th><th scope="col" class="number roomy">${t("models.score")}</th><th scope="col" class="number roomy">${t("page.kept")}</th><th scope="col" class="number roomy">${t("models.memory")}</th><th scope="col" class="number">${t("models.decode")}</th></tr></thead>
    <tbody>${answer.models.map((row) => html`<tr class=${row.fits ? "" : "misfit"}>
      <th scope="row"><a href=${writeState({ ...state, view: "fit", model: row.model, quant: row.quant })}>${shortName(row.model)}</a><small>${[row.family, row.release_date?.slice(0, 7), row.license].filter(Boolean).join(" · ")}</small></th>
      <td class="number roomy">${parameters(row.parameters)}${row.active_parameters < row.parameters && html`<small>${t("page.active", { count: parameters(row.active_parameters) })}</small>`}</td>
      <td>${row.quant}</td>
      <td class="number roomy">${row.score ? html`${number(row.score.value)}<small class=${row.score.basis}>${number(row.score.lower)}–${number(row.score.upper)} ${t(`basis.${row.score.basis}`)}</small>` : t("compare.unknown")}</td>
      <td class="number roomy">${row.kept ? percent(row.kept.share) : "–"}</td>
      <td class="number roomy">${bytes(row.needed_bytes)}</td>
      <td class="number">${row.decode ? range(row.decode) : "–"}</td>
    </tr>`)}</tbody></table></div>`;
}

const flat = (row) => ({ model: row.model, quant: row.quant, parameters: row.parameters, score: row.score?.value, basis: row.score?.basis, kept: row.kept?.share, needed_bytes: row.needed_bytes, tokens_per_s: row.decode?.tokens_per_s, license: row.license, release_date: row.release_date });
