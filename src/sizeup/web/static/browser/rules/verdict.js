// The verdict on a model in a tab: downloaded, loaded, how fast, and the single reason when not.
// The same rules as sizeup/browser/verdict.py, held to it by shared test vectors.

import { download } from "./download.js";
import { load } from "./load.js";
import { speed } from "./speed.js";

/** Judge a model for a device: both plain objects as README.md describes them. Pure: nothing is asked of the browser. */
export function judge(model, device, facts) {
  if (model.engine === "builtin") return builtin(model, device, facts);
  const fetched = download(model, device, facts);
  const loaded = load(model, device, facts);
  const pace = speed(model, device, loaded, facts);
  const [verdict, reason] = worst(fetched, loaded, pace, facts);
  return { model: model.id ?? null, engine: model.engine, verdict, reason, download: fetched, load: loaded, speed: pace };
}

/** The first cause of the worst answer: what blocks before what is doubtful, the machine before the download. */
function worst(fetched, loaded, pace, facts) {
  for (const kind of ["no", "maybe", "unknown"]) {
    for (const part of [loaded, fetched]) if (part.verdict === kind && part.reason) return [kind, part.reason];
    if (kind === "no" && pace.upper !== null && pace.upper < facts.value("slow_tokens_per_s")) {
      return ["maybe", { key: "slow", figures: { upper: pace.upper } }];
    }
  }
  return ["yes", { key: "fits", figures: {} }];
}

const BUILTIN = {
  "no-api": ["no", "no_prompt_api"],
  unavailable: ["no", "prompt_unavailable"],
  downloadable: ["yes", "prompt_downloadable"],
  downloading: ["yes", "prompt_downloadable"],
  available: ["yes", "fits"],
};

/** The browser's own model: it says itself whether it is there, and no page chooses which one it is. */
function builtin(model, device, facts) {
  const [verdict, key] = BUILTIN[device.builtin ?? ""] ?? ["unknown", "prompt_unknown"];
  const reason = { key, figures: {} };
  const cause = key === "fits" ? null : reason;
  const there = device.builtin === "available";
  return {
    model: model.id ?? null,
    engine: "builtin",
    verdict,
    reason,
    download: {
      verdict,
      reason: cause,
      bytes: there ? 0 : facts.value("builtin.bytes"),
      engineBytes: 0,
      precision: there ? null : "rounded",
      seconds: null,
      gated: false,
      quota: { bytes: null, floor: false, enough: null },
      evidence: ["builtin.bytes", "builtin.disk_bytes"],
    },
    load: {
      verdict,
      reason: cause,
      runsOn: "gpu",
      build: null,
      threads: null,
      peakBytes: { lower: null, upper: null },
      roomBytes: { lower: null, upper: null },
      evidence: [],
    },
    speed: { lower: null, upper: null, feel: null, boundBy: null, why: "never_measured", evidence: [] },
  };
}
