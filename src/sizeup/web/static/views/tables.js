// The two tables of every guide: what each size of model takes, and what each kind of machine runs.

import { html } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Failed } from "../parts/failed.js";
import { Command, csv, save } from "../parts/share.js";
import { short, t } from "../text.js";
import { chosen, commandLine } from "../state.js";

const CONTEXTS = [2048, 4096, 8192, 16384, 32768, 65536, 131072];
const MIXES = ["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M"];

export default function Tables({ state, change }) {
  const values = chosen(state, ["quant", "context"]);
  return html`<div>
    <form class="question across" onSubmit=${(event) => event.preventDefault()}>
      <label>${t("page.quant")}<select onChange=${(event) => change({ quant: event.target.value })}><option value="">${t("page.any_four_bit")}</option>${MIXES.map((mix) => html`<option value=${mix} selected=${mix === state.quant}>${mix}</option>`)}</select></label>
      <label>${t("page.context")}<select onChange=${(event) => change({ context: event.target.value })}>${CONTEXTS.map((tokens) => html`<option value=${tokens} selected=${tokens === Number(state.context || 8192)}>${short(tokens)}</option>`)}</select></label>
    </form>
    <div class="answer">${["sizes", "machines"].map((which) => html`<${Guide} key=${which} which=${which} values=${values} />`)}</div>
  </div>`;
}

function Guide({ which, values }) {
  const { answer, failure, stale } = useAnswer("table", { which, ...values, told: "true" });
  if (failure) return html`<${Failed} failure=${failure} />`;
  if (!answer) return html`<div class="skeleton tall" aria-hidden="true"></div>`;
  const { title, header, rows, rule } = answer.told;
  const numbers = which === "sizes" ? [2, 3, 4, 5] : [4];
  const side = (index) => (numbers.includes(index) ? "number" : undefined);
  const flat = () => rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]])));
  return html`<section class=${stale ? "panel stale" : "panel"} aria-busy=${stale}><h2 class="title">${title}</h2>
    <div class="scroll"><table class="ranking"><thead><tr>${header.map((name, index) => html`<th scope="col" class=${side(index)}>${name}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${row.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td class=${side(index)}>${cell}</td>`))}</tr>`)}</tbody></table></div>
    <p class="fine">${rule}</p>
    <${Command} title=${t("page.same_question")} line=${commandLine("table", [which], values)} />
    <div class="buttons"><button type="button" class="quiet" onClick=${() => save(`${which}.json`, "application/json", JSON.stringify(answer, null, 2))}>JSON</button>
      <button type="button" class="quiet" onClick=${() => save(`${which}.csv`, "text/csv", csv(flat()))}>CSV</button></div>
  </section>`;
}
