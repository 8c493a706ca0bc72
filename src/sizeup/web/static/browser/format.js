// Numbers for people, in the reader's language. GiB is 2^30 bytes, as everywhere in sizeup.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formats(language) {
  const number = (value, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits, minimumFractionDigits: 0 }).format(value);
  const places = (value) => (value < 10 ? 2 : value < 100 ? 1 : 0);
  const counted = (value, unit) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 }).format(value);
  const bytes = (count) => {
    let value = count;
    let unit = 0;
    while (value >= 1023.5 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
    return `${number(value, unit ? places(value) : 0)} ${UNITS[unit]}`;
  };
  return {
    number,
    bytes,
    exact: (count) => number(count),
    rate: (bytesPerS) => `${number(bytesPerS / 1e9, places(bytesPerS / 1e9))} GB/s`,
    network: (bytesPerS) => `${number(bytesPerS / 1e6, places(bytesPerS / 1e6))} MB/s`,
    flops: (perS) => `${number(perS / 1e9, places(perS / 1e9))} GFLOP/s`,
    pace: (tokens) => number(tokens, tokens < 1 ? 2 : tokens < 10 ? 1 : 0),
    parameters: (count) => (count >= 999.5e6 ? `${number(count / 1e9, count < 1e10 ? 1 : 0)}B` : `${number(count / 1e6)}M`),
    time: (seconds) => (seconds < 90 ? counted(Math.max(1, seconds), "second") : seconds < 5400 ? counted(seconds / 60, "minute") : counted(seconds / 3600, "hour")),
  };
}

/** An element with attributes and children; nulls among them are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}
