// What so many tokens a second look like: a text that appears at that pace, once, when asked for.

import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { t } from "../text.js";

const LONGEST_S = 12;

export function Pace({ tokensPerS }) {
  const [shown, show] = useState(null);
  // Pieces of about one token: three letters of English, or one character of Chinese.
  const pieces = t("page.pace_text").match(/[\u4e00-\u9fff，。]|[^\u4e00-\u9fff，。]{1,4}/g) ?? [];
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  useEffect(() => {
    if (shown === null || shown >= pieces.length) return undefined;
    const start = performance.now() - (shown * 1000) / tokensPerS;
    let frame = requestAnimationFrame(function draw(now) {
      const count = Math.floor(((now - start) * tokensPerS) / 1000);
      show(now - start > LONGEST_S * 1000 ? pieces.length : Math.min(count, pieces.length));
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, [shown === null, tokensPerS, shown >= pieces.length]);
  return html`<div class="pace">
    <button type="button" onClick=${() => show(still ? pieces.length : 0)}>▸ ${t("page.pace_try")}</button>
    ${shown !== null && html`<p aria-hidden="true">${pieces.slice(0, shown).join("")}<span class="later">${pieces.slice(shown).join("")}</span></p>`}
  </div>`;
}
