// What went wrong, in one sentence, and what to try.

import { html } from "../vendor/htm-preact.js";
import { t } from "../text.js";

export function Failed({ failure }) {
  return html`<section class="panel failed" role="alert"><p class="mark bad"><span aria-hidden="true">!</span> ${failure.message}</p>
    ${failure.advice && html`<p>${t("error.try")} <code>${failure.advice}</code></p>`}</section>`;
}
