// A text box that looks names up as one types: models of the catalogue, machines. Keyboard as the ARIA pattern asks.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { ask } from "../api.js";
import { bytes, parameters, t } from "../text.js";

const WAIT_MS = 90;

/** `kind` is "model" or "machine"; `first` are rows shown before anything is typed; free text is taken on Enter. */
export function Combobox({ id, kind, label, value, shown, first = [], hint, shortcut, onPick }) {
  const [typed, type] = useState(null);
  const [rows, setRows] = useState([]);
  const [at, move] = useState(-1);
  const box = useRef(null);
  const open = typed !== null;
  const options = open ? [...(typed ? [] : first), ...rows] : [];

  useEffect(() => {
    if (!open) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask("names", { kind, q: typed, limit: 30 }, stop.signal).then((found) => { setRows(found.names); move(-1); }, () => {});
    }, WAIT_MS);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [typed, open]);

  const pick = (name) => { onPick(name); type(null); move(-1); box.current?.blur(); };
  const keyed = (event) => {
    const last = options.length - 1;
    const steps = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, -1) };
    if (event.key in steps) {
      event.preventDefault();
      if (!open) type("");
      move(steps[event.key]);
      document.getElementById(`${id}-${steps[event.key]}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      if (at >= 0) pick(options[at].name);
      else if (typed.trim()) pick(typed.trim());
      else type(null);
    } else if (event.key === "Escape") {
      type(null);
    }
  };

  return html`<div class="field combobox">
    <label for=${id}>${label}${shortcut && html` <kbd>${shortcut}</kbd>`}</label>
    <input id=${id} ref=${box} type="text" role="combobox" autocomplete="off" spellcheck=${false} aria-expanded=${open} aria-controls="${id}-list"
      aria-autocomplete="list" aria-activedescendant=${at >= 0 ? `${id}-${at}` : undefined} value=${typed ?? shown ?? value} placeholder=${hint}
      onFocus=${(event) => { type(""); event.target.select(); }} onInput=${(event) => type(event.target.value)} onKeyDown=${keyed}
      onBlur=${() => type(null)} />
    <ul id="${id}-list" role="listbox" aria-label=${label} hidden=${!open || !options.length}>
      ${options.map((row, index) => html`<li key=${row.name} id="${id}-${index}" role="option" aria-selected=${index === at}
        onMouseDown=${(event) => { event.preventDefault(); pick(row.name); }}>
        <span>${row.label ?? row.name}</span><small>${detail(row)}</small></li>`)}
    </ul>
    ${open && typed && !options.length && html`<p class="hint">${t("page.take_as_typed")}</p>`}
  </div>`;
}

/** What tells a name from its neighbours: parameters of a model, memory of a device. */
function detail(row) {
  if (row.parameters) return parameters(row.parameters);
  return row.memory_bytes ? bytes(row.memory_bytes) : "";
}
