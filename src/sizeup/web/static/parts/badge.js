// How a number is known, in one word beside it. Never by colour alone.

import { html } from "../vendor/htm-preact.js";
import { named } from "../text.js";

/** `kind` is one of the evidence kinds: given, measured, read, published, derived, assumed. */
export function Badge({ kind, title }) {
  return kind ? html`<span class="badge ${kind}" title=${title ?? ""}>${named("kind", kind)}</span>` : null;
}
