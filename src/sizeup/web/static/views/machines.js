// Which machines suit a model: to buy and to rent, with the price, its date, and what each can do.

import { html } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Badge } from "../parts/badge.js";
import { Failed } from "../parts/failed.js";
import { Command, csv, save } from "../parts/share.js";
import { ModelPicker } from "./question.js";
import { shortName } from "./fit.js";
import { money, number, range, short, t } from "../text.js";
import { chosen, commandLine, writeState } from "../state.js";

const CONTEXTS = [4096, 8192, 16384, 32768, 65536, 131072];
const WISHES = ["users", "context", "slowest", "budget", "watts", "rent", "buy", "limit"];

export default function Machines({ state, change }) {
  const wishes = chosen(state, WISHES);
  const model = useAnswer("model", state.model ? { model: state.model } : null);
  const { answer, failure, stale } = useAnswer("machines", state.model ? { model: state.model, ...wishes } : null);
  const way = state.rent ? "rent" : state.buy ? "buy" : "";
  return html`<div class="columns">
    <form class="question" onSubmit=${(event) => event.preventDefault()}>
      <${ModelPicker} state=${state} change=${change} model=${model.answer} />
      <div class="field two">
        <label>${t("page.users")}<input type="number" min="1" value=${state.users || 1} onChange=${(event) => change({ users: event.target.value })} /></label>
        <label>${t("page.context")}<select onChange=${(event) => change({ context: event.target.value })}>${CONTEXTS.map((tokens) => html`<option value=${tokens} selected=${tokens === Number(state.context || 8192)}>${short(tokens)}</option>`)}</select></label>
        <label>${t("page.slowest")}<input type="number" min="0" value=${state.slowest ?? ""} onChange=${(event) => change({ slowest: event.target.value })} /></label>
        <label>${t("page.budget")}<input type="number" min="0" step="100" value=${state.budget ?? ""} onChange=${(event) => change({ budget: event.target.value })} /></label>
        <label>${t("page.watts")}<input type="number" min="0" step="50" value=${state.watts ?? ""} onChange=${(event) => change({ watts: event.target.value })} /></label>
        <label>${t("page.way")}<select onChange=${(event) => change({ rent: "", buy: "", ...(event.target.value && { [event.target.value]: "true" }) })}>
          <option value="">${t("page.any")}</option>${["buy", "rent"].map((name) => html`<option value=${name} selected=${way === name}>${t(`machines.${name}`)}</option>`)}</select></label>
      </div>
    </form>
    <section class=${stale ? "answer stale" : "answer"} aria-busy=${stale}>
      ${failure && html`<${Failed} failure=${failure} />`}
      <section class="panel"><h1 class="title">${t("page.machines_title", { model: shortName(model.answer?.name ?? state.model ?? "") })}</h1>
        ${answer ? html`<${Offers} answer=${answer} state=${state} />` : html`<div class="skeleton long"></div>`}
        <p class="fine">${t("page.machines_note")}</p></section>
      <section class="panel take"><${Command} title=${t("page.same_question")} line=${commandLine("machines", [state.model ?? ""], wishes)} />
        <div class="buttons"><button type="button" class="quiet" onClick=${() => save("machines.json", "application/json", JSON.stringify(answer, null, 2))}>JSON</button>
        <button type="button" class="quiet" onClick=${() => save("machines.csv", "text/csv", csv(answer.machines.map(flat)))}>CSV</button></div></section>
    </section>
  </div>`;
}

function Offers({ answer, state }) {
  return html`<div class="scroll"><table class="ranking">
    <thead><tr><th scope="col">${t("machines.machine")}</th><th scope="col" class="number">${t("machines.price")}</th><th scope="col" class="number">${t("machines.hour")}</th><th scope="col" class="number roomy">${t("machines.million")}</th><th scope="col" class="number roomy">${t("machines.watts")}</th><th scope="col" class="roomy">${t("models.quant")}</th><th scope="col" class="number">${t("machines.pace")}</th></tr></thead>
    <tbody>${answer.machines.map((row) => html`<tr class=${row.misses.length ? "misfit" : ""}>
      <th scope="row"><a href=${writeState({ ...state, view: "fit", on: row.name, quant: row.plan.quant })}>${row.name}</a>${row.used && html`<small>${t("machines.used").trim()}</small>`}${row.misses.length > 0 && html`<small class="bad">${row.misses.map((miss) => t(`machines.miss_${miss}`)).join(", ")}</small>`}</th>
      <td class="number">${row.usd_new == null ? t("machines.unknown") : html`${money(row.usd_new)}<small>${row.usd_source?.date?.slice(0, 7)} <${Badge} kind=${row.usd_source?.kind} title=${row.usd_source?.where} /></small>`}</td>
      <td class="number">${row.usd_per_hour == null ? "–" : money(row.usd_per_hour, 2)}</td>
      <td class="number roomy">${row.usd_per_million_tokens == null ? "–" : money(row.usd_per_million_tokens, 2)}</td>
      <td class="number roomy">${row.watts == null ? "–" : `${number(row.watts)} W`}${row.supply_watts && html`<small>${t("page.supply", { watts: number(row.supply_watts) })}</small>`}</td>
      <td class="roomy">${row.plan.quant}</td>
      <td class="number">${row.plan.speed.decode ? range(row.plan.speed.decode) : "–"}</td>
    </tr>`)}</tbody></table></div>`;
}

const flat = (row) => ({ machine: row.name, kind: row.kind, used: row.used, usd_new: row.usd_new, usd_date: row.usd_source?.date, usd_per_hour: row.usd_per_hour, usd_per_million_tokens: row.usd_per_million_tokens, watts: row.watts, quant: row.plan.quant, tokens_per_s: row.plan.speed.decode?.tokens_per_s, fits: row.plan.fits, misses: row.misses.join(" ") });
