// Does this model fit this machine: the question at the left, the answer at the right, everything live.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Bar, runName, runs } from "../parts/bar.js";
import { Badge } from "../parts/badge.js";
import { HeatMap } from "../parts/heatmap.js";
import { Pace } from "../parts/pace.js";
import { Figure, Why } from "../parts/why.js";
import { Command, Copy, csv, picture, save } from "../parts/share.js";
import { Failed } from "../parts/failed.js";
import { PLACE, Question, useMachine } from "./question.js";
import { bytes, named, number, percent, t } from "../text.js";
import { chosen, commandLine } from "../state.js";

/** What the command line is given too; the server's own name of each. */
const ASKED = [...PLACE, "engine", "quant", "context", "kv_type", "users", "gpu_layers"];

export function Fit({ state, change }) {
  const values = chosen(state, ["model", ...ASKED]);
  const question = state.model ? values : null;
  const { answer, failure, stale } = useAnswer("fit", question && { ...question, ...chosen(state, ["prompt"]), told: "true" });
  const machine = useMachine(state);
  const grid = useAnswer("grid", question && chosen(state, ["model", ...PLACE, "engine", "kv_type", "users"]));
  const model = useAnswer("model", state.model ? { model: state.model } : null);
  const [why, ask] = useState(null);

  return html`<div class="columns">
    <${Question} state=${state} change=${change} answer=${answer} grid=${grid.answer} model=${model.answer} machine=${machine} />
    <section class=${stale ? "answer stale" : "answer"} aria-busy=${stale}>
      ${failure ? html`<${Failed} failure=${failure} />` : answer
        ? html`<${Answer} answer=${answer} grid=${grid.answer} machine=${machine.answer} onWhy=${ask} change=${change} state=${state} values=${values} />`
        : html`<div class="skeleton" aria-hidden="true"></div>`}
    </section>
    <${Why} part=${why} values=${values} onClose=${() => ask(null)} />
  </div>`;
}

function Answer({ answer, grid, machine, onWhy, change, state, values }) {
  const { told } = answer;
  const bars = useRef(null);
  const [lit, light] = useState(null);
  const pools = [...new Set(answer.breakdown.claims.map((claim) => claim.pool))].filter((pool) => pool !== "disk");
  const stacks = pools.map((pool) => [
    told.pools[pool],
    runs(answer.breakdown.claims.filter((claim) => claim.pool === pool), answer.needed_bytes[pool], answer.free_bytes[pool], machine?.pools.find((one) => one.name === pool)),
  ]);
  const summary = [t(answer.fits ? "page.sentence_fits" : "page.sentence_no", { model: shortName(answer.model), quant: told.quant, context: number(answer.settings.context_tokens), machine: machineName(answer.machine) })]
    .concat(answer.fits ? (told.pace ? [t("page.pace_feels", { pace: told.pace, feeling: told.feeling })] : []) : told.shortfall);
  return html`
    <section class="panel verdict">
      <p class="mark ${answer.fits ? "good" : "bad"}"><span aria-hidden="true">${answer.fits ? "✓" : "✗"}</span> ${t(answer.fits ? "fit.fits" : "fit.no")}</p>
      <h1>${shortName(answer.model)} <small>${told.quant}</small></h1>
      <p role="status" aria-live="polite" class="summary">${summary.join(t("list.semicolon"))}</p>
      <p class="fine">${told.machine}</p>
      <div class="bars" ref=${bars}>${stacks.map(([name, stack]) => html`<${Bar} name=${name} stack=${stack} lit=${lit} onLit=${light} />`)}</div>
      <${Parts} answer=${answer} pools=${pools} lit=${lit} onLit=${light} onWhy=${onWhy} />
      ${told.pool && html`<p>${told.pool}</p>`}
      <p class="fine">${told.evidence.join(" ")}</p>
      ${told.doubts.map(([kind, sentence]) => html`<p class="doubt">${kind}${sentence}</p>`)}
    </section>
    ${answer.fits && html`<${Speed} answer=${answer} onWhy=${onWhy} state=${state} change=${change} />`}
    ${!answer.fits && html`<${Options} title=${t("nearest.title")} options=${answer.nearest} told=${told.nearest} change=${change} />`}
    <section class="panel map"><h2>${t("page.map_title")}</h2>${grid
      ? html`<${HeatMap} grid=${grid} quant=${answer.quant} context=${answer.settings.context_tokens} onPick=${(quant, context) => change({ quant, context: String(context) })} />`
      : html`<div class="skeleton" aria-hidden="true"></div>`}</section>
    ${answer.fits && told.others.length > 0 && html`<${Options} title=${t("page.others")} reason=${told.reason} options=${answer.others.filter((one) => one.fits)} told=${told.others} change=${change} />`}
    <section class="panel take">
      <h2>${t("page.take")}</h2>
      ${answer.fits && html`<${Command} title=${answer.engine} line=${answer.command} />`}
      <${Command} title=${t("page.same_question")} line=${commandLine("fit", [values.model], chosen(state, ASKED))} />
      <div class="buttons">
        <${Copy} text=${() => location.href} label=${t("page.copy_link")} />
        <button type="button" class="quiet" onClick=${() => save("sizeup.json", "application/json", JSON.stringify(answer, null, 2))}>JSON</button>
        <button type="button" class="quiet" onClick=${() => save("sizeup.csv", "text/csv", csv(answer.breakdown.claims))}>CSV</button>
        <button type="button" class="quiet" onClick=${() => save("sizeup.svg", "image/svg+xml", picture([...bars.current.querySelectorAll("figure")]))}>SVG</button>
        <button type="button" class="quiet" onClick=${() => print()}>${t("page.print")}</button>
      </div>
    </section>`;
}

/** The rows under the bars: every part with its bytes in each place, where the number is from, and its derivation. */
function Parts({ answer, pools, lit, onLit, onWhy }) {
  const parts = Object.keys(answer.told.origins);
  const size = (part, pool) => answer.breakdown.claims.filter((claim) => claim.part === part && claim.pool === pool).reduce((sum, claim) => sum + claim.bytes, 0);
  return html`<div class="scroll"><table class="parts">
    <thead><tr><th scope="col">${t("page.part")}</th>${pools.map((pool) => html`<th scope="col" class="number">${answer.told.pools[pool]}</th>`)}<th scope="col" class="origin">${t("page.where_from")}</th></tr></thead>
    <tbody>${parts.map((part) => html`<tr class=${lit === part ? "lit" : ""} onMouseEnter=${() => onLit(part)} onMouseLeave=${() => onLit(null)}>
      <th scope="row"><i class="swatch" data-part=${part} aria-hidden="true"></i>${runName(part)}</th>
      ${pools.map((pool) => html`<td class="number">${size(part, pool) ? html`<${Figure} part=${part} onWhy=${onWhy}>${bytes(size(part, pool))}<//>` : "–"}</td>`)}
      <td class="origin"><${Badge} group="level" kind=${answer.told.levels[part]} /> ${answer.told.origins[part]}</td>
    </tr>`)}</tbody>
  </table></div>`;
}

function Speed({ answer, onWhy, state, change }) {
  const { told, speed } = answer;
  const energy = speed.joules_per_1000_tokens;
  const rows = [
    ["speed.decode", "level", told.levels.decode, told.pace && html`<${Figure} part="decode" onWhy=${onWhy}>${told.pace}<//>`, [told.feeling, told.full].filter(Boolean).join(t("list.semicolon"))],
    ["speed.prefill", "level", "predicted", told.prefill && html`<${Figure} part="prefill" onWhy=${onWhy}>${told.prefill}<//>`, told.first && html`<label class="prompt">${t("page.first_token")} <input type="number" min="1" step="500" value=${state.prompt || told.first_tokens} onChange=${(event) => change({ prompt: event.target.value === "1000" ? "" : event.target.value })} /> ${t("page.first_token_wait", { least: told.first[0], most: told.first[2] })}</label>`],
    ["speed.load", "kind", "derived", told.load, null],
    ["page.energy", "kind", "derived", energy && t("page.joules", { range: `${number(energy.lower)}–${number(energy.upper)}` }), energy && t("page.energy_note")],
    ["page.kept", "kind", "derived", percent(answer.quality_kept), t("page.kept_note")],
  ];
  return html`<section class="panel speed"><h2>${t("page.speed")}</h2>
    <dl>${rows.filter(([, , , figure]) => figure).map(([key, group, kind, figure, note]) => html`<div><dt>${t(key)} <${Badge} group=${group} kind=${kind} /></dt><dd><b>${figure}</b>${note && html`<span>${note}</span>`}</dd></div>`)}</dl>
    <p class="fine">${told.basis}</p>
    ${speed.decode && html`<${Pace} key=${answer.command} tokensPerS=${speed.decode.tokens_per_s} />`}
  </section>`;
}

/** Other plans for the same model; those that only change what this page can set have a button. */
function Options({ title, reason, options, told, change }) {
  return html`<section class="panel options"><h2>${title}</h2>${reason && html`<p>${reason}</p>`}
    ${told.length === 0 && html`<p>${t("nearest.none")}</p>`}
    <ul>${told.map((words, index) => html`<li>
      ${["faster", "better"].includes(words.why) && html`<span class="tag">${t(`option.is_${words.why}`)}</span>`}
      <span>${words.words}</span>${!words.words.includes(words.pace) && html`<b>${words.pace}</b>`}
      ${settable(options[index]) && html`<button type="button" class="link" onClick=${() => change(settingsOf(options[index]))}>${t("page.use")}</button>`}
    </li>`)}</ul>
  </section>`;
}

const MACHINE_CHANGES = ["more_ram", "another_card", "free_memory", "smaller_model"];

function settable(plan) {
  return !MACHINE_CHANGES.includes(plan.why);
}

function settingsOf({ quant, settings }) {
  const kv = settings.k === settings.v ? settings.k ?? "f16" : `${settings.k}/${settings.v}`;
  return { quant, context: String(settings.context_tokens / (settings.sequences ?? 1)), kv_type: kv === "f16" ? "" : kv };
}

export const shortName = (model) => model.split("/").pop();
export const machineName = (name) => (name === "this machine" ? t("machine.this") : name);
