// What the page shows, as one flat record in the URL's fragment: a link restores it, and a fragment is never sent to a server.

export const VIEWS = ["fit", "models", "machines", "compare", "train", "tables"];

/** The record in a fragment such as "#fit?model=qwen3:8b&context=8192"; unknown views mean the first. */
export function readState(hash) {
  const [view, query = ""] = decodeURI(hash.replace(/^#/, "")).split(/\?(.*)/s);
  const state = Object.fromEntries(new URLSearchParams(query));
  return { ...state, view: VIEWS.includes(view) ? view : VIEWS[0] };
}

/** The fragment of a record; empty values are left out, so that links stay short. */
export function writeState({ view, ...values }) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null));
  // Colons, slashes and commas are allowed in a fragment and make a link readable.
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%2C", ",");
  return `#${view}${text ? "?" + text : ""}`;
}

/** The values of `names` that are set, in that order: what an operation or a command line is given. */
export function chosen(state, names) {
  return Object.fromEntries(names.filter((name) => state[name] !== undefined && state[name] !== "").map((name) => [name, state[name]]));
}

/** The same question on the command line. `values` are named as the options are, with "_" for "-". */
export function commandLine(verb, things, values) {
  const options = Object.entries(values).map(([name, value]) => {
    const option = "--" + name.replaceAll("_", "-");
    return value === "true" ? option : `${option} ${quoted(value)}`;
  });
  return ["sizeup", verb, ...things.map(quoted), ...options].join(" ");
}

function quoted(word) {
  return /^[\w./:@,+=-]+$/.test(word) ? word : `'${String(word).replaceAll("'", "'\\''")}'`;
}
