// Words and numbers in the language of the page. All words come from the server's catalogues; numbers from Intl.

export const LANGUAGES = { en: "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文" };

let words = {};
let spoken = "en";
let units = "iec";

/** The language to speak: the one asked for, else the browser's first that exists here, else English. */
export function pickLanguage(asked, preferred = navigator.languages ?? []) {
  for (const name of [asked, ...preferred]) {
    const found = recognised(name ?? "");
    if (found) return found;
  }
  return "en";
}

function recognised(name) {
  if (/^en\b/i.test(name)) return "en";
  if (!/^zh\b/i.test(name)) return null;
  return /hans/i.test(name) || !/hant|tw|hk|mo/i.test(name) ? "zh-Hans" : "zh-Hant";
}

export async function speak(language) {
  words = await (await fetch(`api/texts?lang=${language}`)).json();
  spoken = language;
  document.documentElement.lang = language;
  document.title = t("page.title");
}

export function useUnits(name) {
  units = name === "si" ? "si" : "iec";
}

export const language = () => spoken;

/** The text of a key with its places filled; the key itself when there is none, which a test looks for. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** The text of `group.name`, or the bare name when nobody has worded it. */
export function named(group, name) {
  return words[`${group}.${name}`] ?? String(name).replaceAll("_", " ");
}

export function number(value, digits = 0) {
  // As Python rounds, so that page and terminal never differ in the last digit.
  return new Intl.NumberFormat(spoken, { minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven" }).format(value);
}

/** A rate with the digits that mean something: 0.42, 3.1, 27, 1,240. As the terminal shows it. */
export function rate(value) {
  return number(value, value < 1 ? 2 : value < 10 ? 1 : 0);
}

export function range(speed) {
  const [low, high] = [rate(speed.lower_tokens_per_s), rate(speed.upper_tokens_per_s)];
  return t("speed.rate", { range: low === high ? low : `${low}–${high}` });
}

/** A size as the terminal shows it: three digits that mean something, exact below one KiB. Shared vectors pin the two. */
export function bytes(count, system = units) {
  const [step, names] = system === "iec" ? [1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]] : [1000, ["B", "kB", "MB", "GB", "TB", "PB"]];
  let value = count;
  let index = 0;
  while (Math.abs(value) >= step * 0.9995 && index < names.length - 1) [value, index] = [value / step, index + 1];
  const digits = index === 0 ? 0 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return `${number(value, digits)} ${names[index]}`;
}

/** A number of tokens, short: 8K, 128K, 1M; whole where it is no power of two. */
export function short(tokens) {
  if (tokens >= 2 ** 20 && tokens % 2 ** 20 === 0) return `${tokens / 2 ** 20}M`;
  if (tokens >= 1024 && tokens % 1024 === 0) return `${number(tokens / 1024)}K`;
  return number(tokens);
}

/** A count of parameters as the field writes it: 270M, 8.2B. */
export function parameters(count) {
  for (const [scale, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (count >= scale * 0.9995) return number(count / scale, count / scale < 100 ? 1 : 0) + letter;
  }
  return number(count);
}

export function percent(share, digits = 1) {
  return new Intl.NumberFormat(spoken, { style: "percent", maximumFractionDigits: digits }).format(Math.floor(share * 1000) / 1000);
}

export function money(usd, digits = 0) {
  return new Intl.NumberFormat(spoken, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", maximumFractionDigits: digits }).format(usd);
}
