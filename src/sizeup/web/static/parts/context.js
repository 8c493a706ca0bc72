// The context as a slider: even steps of the logarithm, ticks at what the model was trained for and at the most that fits.

import { html } from "../vendor/htm-preact.js";
import { number, short, t } from "../text.js";

const LEAST = 512;
const STEPS_AN_OCTAVE = 8;

/** The contexts that the slider stops at: multiples of 256, which engines round to, and the special ones themselves. */
export function stops(most, special) {
  const found = new Set(special.filter((tokens) => tokens >= LEAST && tokens <= most));
  for (let step = 0; ; step += 1) {
    const tokens = LEAST * 2 ** (step / STEPS_AN_OCTAVE);
    if (tokens > most) break;
    found.add(Math.round(tokens / 256) * 256);
  }
  found.add(most);
  return [...found].sort((a, b) => a - b);
}

export function ContextSlider({ value, trained, longest, onPick }) {
  const most = Math.max(trained ?? 0, value, longest ?? 0, 8192);
  const all = stops(most, [value, trained, longest].filter(Boolean));
  const place = (tokens) => `${(100 * all.indexOf(tokens)) / Math.max(all.length - 1, 1)}%`;
  const ticks = [[trained, "page.trained_for"], [longest, "page.longest"]].filter(([tokens], index) => tokens && all.includes(tokens) && !(index === 0 && tokens === longest));
  return html`<div class="field context">
    <label for="context">${t("page.context")}</label>
    <div class="pair">
      <input id="context" type="range" min="0" max=${all.length - 1} step="1" value=${all.indexOf(value)} aria-valuetext=${t("unit.tokens", { count: number(value) })}
        onInput=${(event) => onPick(all[event.target.valueAsNumber])} />
      <input type="number" min="1" step="256" value=${value} aria-label=${t("page.context")} onChange=${(event) => event.target.valueAsNumber > 0 && onPick(Math.round(event.target.valueAsNumber))} />
    </div>
    <div class="ticks" aria-hidden="true">${ticks.map(([tokens]) => html`<i style=${{ left: place(tokens) }} />`)}</div>
    <div class="snaps">${ticks.map(([tokens, key]) => html`<button type="button" class="link" disabled=${tokens === value} onClick=${() => onPick(tokens)}>${t(key, { tokens: short(tokens) })}</button>`)}</div>
  </div>`;
}
