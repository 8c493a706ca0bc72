// The page's words in one language, from i18n/*.json, which are made from sizeup's own.

export const LANGUAGES = ["en", "zh-Hant", "zh-Hans"];

/** One of LANGUAGES: what the address says, else what the reader prefers, else English. */
export function chosenLanguage(address = location.search, preferred = navigator.languages ?? [navigator.language]) {
  const asked = new URLSearchParams(address).get("lang");
  for (const name of [asked, ...preferred]) {
    const found = name && recognised(name);
    if (found) return found;
  }
  return "en";
}

function recognised(name) {
  const words = name.toLowerCase().split(/[-_]/);
  if (words[0] !== "zh") return words[0] === "en" ? "en" : null;
  if (words.includes("hans")) return "zh-Hans";
  return words.some((word) => ["hant", "tw", "hk", "mo"].includes(word)) ? "zh-Hant" : "zh-Hans";
}

/** A function from a key and the values of its places to text; an unknown key is an error of ours and shows as itself. */
export async function loadWords(language) {
  const answer = await fetch(new URL(`./i18n/${language}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`i18n/${language}.json: ${answer.status}`);
  const messages = await answer.json();
  const say = (key, values = {}) =>
    (messages[key] ?? key).replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
  say.has = (key) => key in messages;
  return say;
}
