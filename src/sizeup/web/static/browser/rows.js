// What becomes of the chosen model in each engine: the reason first, then download, memory, speed, and where it is all from.

import { element } from "./format.js";
import { badge } from "./told.js";

const MARKS = { yes: "✓", maybe: "~", no: "✕", unknown: "?" };
const COMPARED_BYTES_PER_S = 10e6;

export const mark = (say, verdict, worded = false) =>
  element(
    "span",
    { class: "mark", "data-verdict": verdict },
    element("span", { "aria-hidden": "true" }, MARKS[verdict], worded ? " " : ""),
    worded ? say(`verdict.${verdict}`) : element("span", { class: "hidden" }, say(`verdict.${verdict}`)),
  );

/** The reason as a sentence: figures as sizes, names as they are. */
export function reasonText(say, show, reason, download) {
  const { need, have, feature, upper } = reason.figures;
  return say(`reason.${reason.key}`, {
    need: need === undefined ? "" : show.bytes(need),
    have: have === undefined ? "" : show.bytes(have),
    feature,
    upper: upper === undefined ? "" : show.pace(upper),
    size: download?.bytes ? show.bytes(download.bytes) : "",
  });
}

function downloadLine(say, show, answer, device) {
  const { bytes, engineBytes, precision, seconds } = answer.download;
  if (answer.engine === "builtin") return [say("download.rounded", { size: show.bytes(bytes) }), say("comma"), say("download.kept_by")];
  if (bytes === null) return [say("unknown")];
  const size = show.bytes(bytes);
  const words = precision === "exact" ? say("download.exact", { size, bytes: show.exact(bytes) }) : say(precision === "rounded" ? "download.rounded" : "download.size", { size });
  const whole = bytes + engineBytes;
  const time = seconds === null
    ? say("download.time_unknown", { time: show.time(whole / COMPARED_BYTES_PER_S) })
    : say("download.time", { time: show.time(seconds), rate: show.network(whole / seconds) });
  const saver = device.saveData ? [" ", say("download.saver")] : [];
  return [words, precision ? badge(say, precision) : "", " ", say("download.engine", { size: show.bytes(engineBytes) }), element("br"), element("span", { class: "quiet" }, time, ...saver)];
}

function memoryLine(say, show, answer) {
  const { peakBytes: peak, roomBytes: room } = answer.load;
  if (peak.lower === null) return [say("unknown")];
  const there = room.lower === null ? say("unknown") : room.upper === null ? say("peak.room_open", { low: show.bytes(room.lower) }) : say("peak.room", { low: show.bytes(room.lower), high: show.bytes(room.upper) });
  return [say("peak.range", { low: show.bytes(peak.lower), high: show.bytes(peak.upper) }), element("br"), element("span", { class: "quiet" }, there), badge(say, "assumed")];
}

function speedLine(say, show, answer) {
  const { lower, upper, feel, why } = answer.speed;
  if (lower === null) return [element("span", { class: "quiet" }, say(`why.${why}`))];
  const [low, high] = [show.pace(lower), show.pace(upper)];
  const kind = answer.load.runsOn === "gpu" ? "assumed" : "derived";
  return [say(low === high ? "speed.same" : "speed.range", { low, high }), badge(say, kind), " ", element("span", { class: "quiet" }, say(`feeling.${feel}`))];
}

function evidenceList(say, facts, answer) {
  const names = [...new Set([...answer.load.evidence, ...answer.speed.evidence, ...answer.download.evidence])];
  const build = answer.build.source ? [element("li", {}, `${answer.build.source}, ${answer.build.date}`)] : [];
  const items = names.map((name) => element("li", {}, `${facts[name].source} (${facts[name].date})`, badge(say, facts[name].kind)));
  return element("ul", {}, ...build, ...items);
}

function otherBuilds(say, show, others) {
  if (!others.length) return null;
  const items = others.map((one) => element("li", {}, mark(say, one.verdict), ` ${one.build.id}: `, reasonText(say, show, one.reason, one.download)));
  return element("details", {}, element("summary", {}, say("builds.other", { count: others.length })), element("ul", {}, items));
}

const folded = (say, name, ...inside) => element("details", {}, element("summary", {}, say(name)), ...inside);

/** What a reader wants first: the speed where it runs and one is known, else the reason. */
function headline(say, show, answer) {
  if (answer.reason.key !== "fits") return element("p", { class: "reason" }, reasonText(say, show, answer.reason, answer.download));
  return answer.speed.lower === null ? null : element("p", { class: "reason" }, speedLine(say, show, answer));
}

function figures(say, show, context, answer) {
  const line = (name, value) => [element("dt", {}, say(name)), element("dd", {}, value)];
  if (answer.engine === "builtin") return element("dl", {}, line("download", downloadLine(say, show, answer, context.device)));
  const { runsOn, threads } = answer.load;
  const place = runsOn === "gpu" ? say("runs_on.gpu") : threads === null ? say("runs_on.cpu_alone") : say("runs_on.cpu", { threads });
  const told = answer.reason.key === "fits" && answer.speed.lower !== null;
  return element(
    "dl",
    {},
    line("build", [answer.build.id, element("br"), element("span", { class: "quiet" }, place)]),
    line("download", downloadLine(say, show, answer, context.device)),
    line("peak", memoryLine(say, show, answer)),
    // What cannot run has no speed, whatever its rates would give.
    told || answer.verdict === "no" ? null : line("speed", speedLine(say, show, answer)),
  );
}

/** One engine: `answers` are its builds, best first; empty when none is known. What is blocked keeps its figures folded. */
export function engineRow(say, show, context, engine, answers) {
  const name = element("h4", {}, engine.name, engine.version ? element("span", { class: "quiet" }, ` ${engine.version}`) : null);
  const [best, ...others] = answers;
  if (!best) {
    const none = element("p", { class: "quiet" }, say("engine.none"));
    return element("article", { class: "row without", "data-engine": engine.id }, element("div", { class: "head" }, name), none);
  }
  const inside = figures(say, show, context, best);
  const sources = evidenceList(say, context.facts, best);
  return element(
    "article",
    { class: "row", "data-engine": engine.id, "data-verdict": best.verdict },
    element("div", { class: "head" }, mark(say, best.verdict, true), name),
    headline(say, show, best),
    best.verdict === "no" ? folded(say, "figures", inside, sources) : [inside, folded(say, "evidence", sources)],
    otherBuilds(say, show, others),
  );
}
