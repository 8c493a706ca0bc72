// Facts of limits.json by name: what browsers and their engines allow, each with its source and date.

let kept = null;

/** The content of limits.json, fetched once from beside this module. */
export async function loadLimits() {
  kept ??= fetch(new URL("../limits.json", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`limits.json: ${answer.status}`);
    return answer.json();
  });
  return kept;
}

/** A view of the facts that the rules read. */
export function facts(limits) {
  return {
    limits,
    row: (name) => {
      const found = limits.facts[name];
      if (!found) throw new Error(`no fact is called ${name}`);
      return found;
    },
    value: (name) => limits.facts[name].value,
    engine: (id) => limits.engines.find((one) => one.id === id),
  };
}
