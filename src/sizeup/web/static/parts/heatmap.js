// Quantization by context: what fits and how fast, every cell a choice. A table, so that it reads as one too.

import { html, useRef } from "../vendor/htm-preact.js";
import { bytes, percent, rate, short, t } from "../text.js";

const SIGN = { fits: "✓", tight: "≈", no: "✗", refused: "–" };

/** `grid` is the server's; the chosen cell is marked; arrows move, Enter chooses. */
export function HeatMap({ grid, quant, context, onPick }) {
  const table = useRef(null);
  const rows = grid.quants.map((mix) => ({ quant: mix, cells: grid.cells.filter((cell) => cell.quant === mix) }));
  const current = rows.findIndex((row) => row.quant === quant);
  const column = grid.contexts_tokens.reduce((best, tokens, index) => (Math.abs(Math.log(tokens / context)) < Math.abs(Math.log(grid.contexts_tokens[best] / context)) ? index : best), 0);
  const fastest = Math.max(...rows.flatMap((row) => row.cells.map((cell) => cell.decode_full?.tokens_per_s ?? 0)), 1);

  const keyed = (event, y, x) => {
    const to = { ArrowRight: [y, x + 1], ArrowLeft: [y, x - 1], ArrowDown: [y + 1, x], ArrowUp: [y - 1, x] }[event.key];
    if (!to) return;
    event.preventDefault();
    table.current.querySelector(`[data-cell="${to[0]}-${to[1]}"]`)?.focus();
  };

  return html`<div class="scroll"><table class="heatmap" ref=${table}>
    <caption>${t("page.map_caption")}</caption>
    <thead><tr><th scope="col">${t("page.quant")}</th>${grid.contexts_tokens.map((tokens, index) => html`<th scope="col" class=${index === column ? "here" : ""}>${short(tokens)}</th>`)}<th scope="col">${t("page.kept")}</th></tr></thead>
    <tbody>${rows.map((row, y) => html`<tr class=${y === current ? "here" : ""}>
      <th scope="row">${row.quant}</th>
      ${row.cells.map((cell, x) => html`<td><button type="button" class="cell ${cell.verdict}" data-cell="${y}-${x}" aria-pressed=${y === current && x === column}
        tabindex=${(current < 0 ? y === 0 && x === 0 : y === current && x === column) ? 0 : -1}
        style=${{ "--heat": cell.decode_full ? 0.18 + 0.82 * Math.sqrt(cell.decode_full.tokens_per_s / fastest) : 0 }}
        title=${`${t(`page.verdict_${cell.verdict}`)}: ${bytes(cell.total_bytes)}`}
        aria-label=${[row.quant, t("unit.tokens", { count: grid.contexts_tokens[x] }), t(`page.verdict_${cell.verdict}`), cell.decode_full && t("speed.rate", { range: rate(cell.decode_full.tokens_per_s) })].filter(Boolean).join(", ")}
        onClick=${() => onPick(row.quant, grid.contexts_tokens[x])} onKeyDown=${(event) => keyed(event, y, x)}>${shown(cell)}</button></td>`)}
      <td class="kept">${row.cells[0]?.quality_kept == null ? "–" : percent(row.cells[0].quality_kept)}</td>
    </tr>`)}</tbody>
  </table></div>`;
}

/** The pace where it is known, with the sign where there is little room; the sign alone elsewhere. */
function shown({ verdict, decode_full: pace }) {
  if (!pace || verdict === "no") return SIGN[verdict];
  return (verdict === "tight" ? `${SIGN.tight} ` : "") + rate(pace.tokens_per_s);
}
