// One stacked bar a place of memory: what is claimed, the doubt hatched, what is free, what other programs hold, one hard line.

import { html } from "../vendor/htm-preact.js";
import { bytes, named, t } from "../text.js";

const WIDE = 1000;
const HIGH = 34;

/**
 * The runs of a pool's bar from left to right, in bytes, with what they stand for.
 * `claims` are the answer's; `room` is the free room it states (negative when it does not fit); `pool` is the machine's.
 */
export function runs(claims, needed, room, pool) {
  const held = claims.filter((claim) => !claim.reclaimable);
  const parts = [...new Set(held.map((claim) => claim.part))];
  const stacked = parts.map((part) => ({ part, bytes: held.filter((claim) => claim.part === part).reduce((sum, claim) => sum + claim.bytes, 0) }));
  const doubt = needed - stacked.reduce((sum, run) => sum + run.bytes, 0);
  const limit = needed + room;
  const others = pool ? Math.max(pool.bytes - limit, 0) : 0;
  return {
    limit,
    needed,
    whole: Math.max(needed, limit + others, 1),
    runs: [
      ...stacked.filter((run) => run.bytes > 0),
      ...(doubt > 0 ? [{ part: "doubt", bytes: doubt }] : []),
      ...(room > 0 ? [{ part: "free", bytes: room }] : []),
      ...(others > 0 ? [{ part: "others", bytes: others }] : []),
    ],
  };
}

export function runName(part) {
  return part === "doubt" || part === "free" || part === "others" ? t(`page.run_${part}`) : named("part", part);
}

/** The bar as one picture with a description; the table beside it holds the same numbers for those who do not see it. */
export function Bar({ name, stack, lit, onLit }) {
  const scale = WIDE / stack.whole;
  let left = 0;
  const drawn = stack.runs.map((run) => {
    const box = { ...run, x: left, width: run.bytes * scale };
    left += box.width;
    return box;
  });
  const line = stack.limit * scale;
  const over = stack.needed > stack.limit;
  return html`<figure class=${over ? "bar over" : "bar"}>
    <figcaption><b>${name}</b><span>${
      over
        ? t("page.bar_over", { needed: bytes(stack.needed), limit: bytes(stack.limit) })
        : t("page.bar_room", { needed: bytes(stack.needed), limit: bytes(stack.limit), free: bytes(stack.limit - stack.needed) })
    }</span></figcaption>
    <svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" role="img" aria-label=${described(name, stack)}>
      <defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" class="hatch-paper" /><rect width="3" height="7" class="hatch-ink" /></pattern></defs>
      ${drawn.map((run) => html`<rect key=${run.part} class="run ${lit && lit !== run.part ? "unlit" : ""}" data-part=${run.part} x=${run.x} y="4" width=${Math.max(run.width - 0.6, 0.4)} height=${HIGH - 8}
        onMouseEnter=${() => onLit?.(run.part)} onMouseLeave=${() => onLit?.(null)}><title>${runName(run.part)} ${bytes(run.bytes)}</title></rect>`)}
      <rect class="limit" x=${Math.min(line, WIDE - 1.5) - 1} y="0" width="2.5" height=${HIGH} />
    </svg>
  </figure>`;
}

function described(name, stack) {
  return [name, ...stack.runs.map((run) => `${runName(run.part)} ${bytes(run.bytes)}`)].join(", ");
}
