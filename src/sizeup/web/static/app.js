// The page: a header with the views, one view at a time, everything in the URL's fragment.

import { html, render, useCallback, useEffect, useState } from "./vendor/htm-preact.js";
import { ask } from "./api.js";
import { Failed } from "./parts/failed.js";
import { readState, VIEWS, writeState } from "./state.js";
import { LANGUAGES, language, pickLanguage, speak, t, useUnits } from "./text.js";
import { Fit } from "./views/fit.js";

/** Views but the first are loaded when they are opened. */
const LATER = {
  models: () => import("./views/models.js"),
  machines: () => import("./views/machines.js"),
  compare: () => import("./views/compare.js"),
  train: () => import("./views/train.js"),
  tables: () => import("./views/tables.js"),
};

const THEMES = ["auto", "light", "dark"];

function App() {
  const [state, setState] = useState(readState(location.hash));
  const [, redraw] = useState(0);
  const View = useView(state.view);
  useUnits(state.units);

  const change = useCallback((values) => setState((before) => ({ ...before, ...values })), []);
  useEffect(() => {
    const hash = writeState(state);
    // A view is a step to go back to; a slider's way is not.
    if (readState(location.hash).view !== state.view) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }, [state]);
  useEffect(() => {
    const restored = () => setState(readState(location.hash));
    addEventListener("hashchange", restored);
    addEventListener("popstate", restored);
    return () => { removeEventListener("hashchange", restored); removeEventListener("popstate", restored); };
  }, []);
  useEffect(() => {
    if (pickLanguage(state.lang) !== language()) speak(pickLanguage(state.lang)).then(() => redraw((count) => count + 1));
  }, [state.lang]);
  useEffect(() => {
    // Nobody has named a model yet: the best one for this machine is a good place to begin.
    if (!state.model) ask("models", { limit: 1 }).then((found) => change({ model: found.models[0]?.model ?? "" }), () => {});
  }, []);

  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById("main").focus(); }}>${t("page.skip")}</a>
    <header class="top">
      <a class="mark" href="#fit">sizeup</a>
      <nav aria-label=${t("page.views")}>
        ${VIEWS.map((view) => html`<a href=${writeState({ ...state, view })} aria-current=${view === state.view ? "page" : undefined}>${t(`page.view_${view}`)}</a>`)}
        <a href="browser/?lang=${language()}">${t("page.view_browser")}</a>
      </nav>
      <div class="tools">
        <select aria-label=${t("page.language")} value=${language()} onChange=${(event) => change({ lang: event.target.value })}>
          ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} lang=${code} selected=${code === language()}>${name}</option>`)}
        </select>
        <select aria-label=${t("page.units")} value=${state.units ?? "iec"} onChange=${(event) => change({ units: event.target.value === "iec" ? "" : "si" })}>
          <option value="iec" selected=${state.units !== "si"}>GiB</option><option value="si" selected=${state.units === "si"}>GB</option>
        </select>
        <${Theme} />
      </div>
    </header>
    <main id="main" tabindex="-1">${View ? html`<${View} state=${state} change=${change} />` : html`<div class="skeleton tall"></div>`}</main>
    <footer><p>${t("page.foot")}</p></footer>`;
}

/** The component of a view; null until its file is here. */
function useView(name) {
  const [loaded, keep] = useState({ fit: Fit });
  useEffect(() => {
    if (!loaded[name]) LATER[name]().then((module) => keep((before) => ({ ...before, [name]: module.default })));
  }, [name]);
  return loaded[name] ?? null;
}

function Theme() {
  const [theme, set] = useState(document.documentElement.dataset.theme ?? "auto");
  const choose = (next) => {
    set(next);
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try { localStorage.setItem("sizeup.theme", next); } catch { /* kept for this visit only */ }
  };
  return html`<select aria-label=${t("page.theme")} value=${theme} onChange=${(event) => choose(event.target.value)}>
    ${THEMES.map((name) => html`<option value=${name} selected=${name === theme}>${t(`page.theme_${name}`)}</option>`)}</select>`;
}

// "/" goes to the model from anywhere, as on many pages with a search.
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName)) {
    event.preventDefault();
    document.getElementById("model")?.focus();
  }
});

const page = document.getElementById("page");
speak(pickLanguage(readState(location.hash).lang)).then(
  () => render(html`<${App} />`, page),
  (failure) => render(html`<${Failed} failure=${failure} />`, page),
);
