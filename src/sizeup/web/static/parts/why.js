// How a number was made: the derivation that the server replays, as a sheet beside the page.

import { html, useEffect, useRef } from "../vendor/htm-preact.js";
import { useAnswer } from "../api.js";
import { Badge } from "./badge.js";
import { t } from "../text.js";

/** A number that opens its derivation. */
export function Figure({ part, children, onWhy }) {
  return html`<button type="button" class="figure" title=${t("page.why_this")} onClick=${() => onWhy(part)}>${children}</button>`;
}

export function Why({ part, values, onClose }) {
  const sheet = useRef(null);
  const { answer, failure } = useAnswer("fit", part ? { ...values, why: part } : null);
  useEffect(() => {
    if (part) sheet.current?.showModal();
    else sheet.current?.close();
  }, [part]);
  return html`<dialog class="sheet" ref=${sheet} onClose=${onClose} onClick=${(event) => event.target === sheet.current && onClose()} aria-label=${t("page.why_this")}>
    <header><h2>${t("page.why_title")}</h2><button type="button" class="quiet" onClick=${onClose} aria-label=${t("page.close")}>×</button></header>
    <div class="steps">${failure && html`<p class="bad">${failure.message}</p>`}
      ${part && answer?.derivation && html`<${Steps} steps=${answer.derivation} />`}</div>
  </dialog>`;
}

function Steps({ steps }) {
  return html`<ul>${steps.map((step) => html`<li>
    <div class="step"><span class="what">${step.label}</span><b>${step.shown}</b></div>
    ${(step.again || step.binds) && html`<div class="formula">${t(step.again ? "why.above" : "why.binds")}</div>`}
    ${step.formula && html`<div class="formula">= ${step.formula}</div>`}
    ${step.source && html`<div class="source"><${Badge} kind=${step.source.kind} /> ${step.source.where}${step.source.date && ` (${step.source.date})`}</div>`}
    ${step.below?.length > 0 && html`<${Steps} steps=${step.below} />`}
  </li>`)}</ul>`;
}
