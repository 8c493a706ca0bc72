// How a number is known, in one word beside it. Never by colour alone.

import { html } from "../vendor/htm-preact.js";
import { named } from "../text.js";

/** `kind` is one of the evidence kinds (given, measured, read, published, derived, assumed), or of the levels where `group` says so. */
export function Badge({ kind, title, group = "kind" }) {
  return kind ? html`<span class="badge ${kind}" title=${title ?? ""}>${named(group, kind)}</span>` : null;
}
