// Two or three things side by side: models, machines, or plans; what differs is marked, what is better too.

import { html, useState } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Combobox } from "../parts/combobox.js";
import { Failed } from "../parts/failed.js";
import { Command, save } from "../parts/share.js";
import { t } from "../text.js";
import { chosen, commandLine } from "../state.js";

const START = { machine: ["rtx-4090", "m4-max-128gb"], model: ["qwen3:8b", "llama3.1:8b"] };

export default function Compare({ state, change }) {
  const kind = state.kind === "model" ? "model" : "machine";
  const things = state.things ? state.things.split(",") : START[kind];
  const [asking, ask] = useState(things.length);
  const values = chosen(state, kind === "model" ? ["on", "ram", "context"] : ["context"]);
  const { answer, failure, stale } = useAnswer("compare", things.length > 1 ? { ...values, things, told: "true" } : null);
  const set = (index, name) => change({ things: [...things.slice(0, index), name, ...things.slice(index + 1)].filter(Boolean).join(",") });
  return html`<div class="columns">
    <form class="question" onSubmit=${(event) => event.preventDefault()}>
      <fieldset class="field segments"><legend>${t("page.compare_what")}</legend>${["machine", "model"].map((name) => html`<label><input type="radio" name="kind" checked=${kind === name} onChange=${() => change({ kind: name === "model" ? name : "", things: "" })} /><span>${t(`page.${name}s`)}</span></label>`)}</fieldset>
      ${Array.from({ length: Math.max(things.length, asking) }, (_, index) => html`<${Combobox} key=${`${kind}${index}`} id=${index ? `thing${index}` : "model"} kind=${kind} label=${`${t(`page.${kind}`)} ${"ABCD"[index]}`} value=${things[index] ?? ""} onPick=${(name) => set(index, name)} />`)}
      ${Math.max(things.length, asking) < 4 && html`<button type="button" class="link" onClick=${() => ask(things.length + 1)}>+ ${t("page.one_more")}</button>`}
      ${kind === "model" && html`<${Combobox} id="machine" kind="machine" label=${t("page.machine")} value=${state.on || t("machine.this")} first=${[{ name: "", label: t("machine.this") }]} onPick=${(name) => change({ on: name })} />`}
    </form>
    <section class=${stale ? "answer stale" : "answer"} aria-busy=${stale}>
      ${failure && html`<${Failed} failure=${failure} />`}
      <section class="panel"><h1 class="title">${things.join(" ↔ ")}</h1>
        ${answer?.told ? html`<div class="scroll"><table class="ranking compare">
          <thead><tr><td></td>${answer.names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
          <tbody>${answer.told.rows.map((row) => html`<tr class=${row.differs ? "differs" : ""}><th scope="row">${row.differs && html`<span aria-hidden="true">≠ </span>`}${row.label}</th>
            ${row.cells.map((cell) => html`<td class=${cell.best ? "best" : ""}>${cell.words}</td>`)}</tr>`)}</tbody>
        </table></div><p class="fine">${answer.told.marks}</p>` : html`<div class="skeleton long"></div>`}
      </section>
      <section class="panel take"><${Command} title=${t("page.same_question")} line=${commandLine("compare", things, values)} />
        <div class="buttons"><button type="button" class="quiet" onClick=${() => save("compare.json", "application/json", JSON.stringify(answer, null, 2))}>JSON</button></div></section>
    </section>
  </div>`;
}
