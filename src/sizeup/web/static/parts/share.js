// What leaves the page: a link, the answer as JSON or CSV, the bars as a picture, the command lines. All made in the browser.

import { html, useState } from "../vendor/htm-preact.js";
import { t } from "../text.js";

export function Copy({ text, label }) {
  const [done, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text());
    set(true);
    setTimeout(() => set(false), 1500);
  };
  return html`<button type="button" class="quiet" onClick=${copy} aria-live="polite">${done ? `✓ ${t("page.copied")}` : label ?? t("page.copy")}</button>`;
}

export function Command({ title, line }) {
  return html`<div class="command"><h3>${title}</h3><div><code tabindex="0">${line}</code><${Copy} text=${() => line} /></div></div>`;
}

export function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Claims as rows: part, pool, bytes, band. */
export function csv(rows) {
  const names = Object.keys(rows[0] ?? {});
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));
  return [names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))].join("\r\n") + "\r\n";
}

/** The bars on the page as one picture that stands alone: colours resolved, the names below them. */
export function picture(figures) {
  const [wide, high] = [1000, 92];
  const drawn = figures.map((figure, index) => {
    const bar = figure.querySelector("svg").cloneNode(true);
    const live = figure.querySelectorAll("svg rect");
    bar.querySelectorAll("rect").forEach((rect, at) => rect.setAttribute("fill", getComputedStyle(live[at]).fill.replace(/url\(.*#/, "url(#")));
    const caption = figure.querySelector("figcaption").textContent;
    return `<text x="0" y="${index * high + 24}">${escaped(caption)}</text><g transform="translate(0 ${index * high + 38})">${bar.innerHTML}</g>`;
  });
  const style = getComputedStyle(document.body);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 -10 ${wide + 40} ${figures.length * high + 20}" font-family="${escaped(style.fontFamily)}" font-size="18" fill="${style.color}"><rect x="-20" y="-10" width="100%" height="100%" fill="${style.backgroundColor}"/>${drawn.join("")}</svg>`;
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
