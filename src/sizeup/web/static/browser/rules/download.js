// Whether a page can download a model: the gate, the quota, the time at a measured rate.
// The same rules as sizeup/browser/download.py, held to it by shared test vectors.

import { compat } from "./load.js";

export function download(model, device, facts) {
  const one = facts.engine(model.engine);
  const second = compat(model.engine, device) === "compat" && one.compat_bytes != null;
  const engineBytes = second ? one.compat_bytes : one.engine_bytes;
  const room = device.quota == null ? null : device.quota - (device.usage ?? 0);
  const floor = room !== null && device.browser === "chrome" && room >= facts.value("quota_floor_bytes");
  const whole = model.bytes == null ? null : model.bytes + engineBytes;
  const needed = whole === null ? null : whole * facts.value("download_margin");
  const enough = needed === null || room === null ? null : needed <= room ? true : floor ? null : false;
  const rate = device.networkBytesPerS;
  const [verdict, reason] = answer(model, needed, room, floor, enough);
  return {
    verdict,
    reason,
    bytes: model.bytes ?? null,
    engineBytes,
    precision: model.precision ?? null,
    seconds: whole !== null && rate ? whole / rate : null,
    gated: model.gated ?? null,
    quota: { bytes: room, floor, enough },
    evidence: ["download_margin", ...(floor ? ["quota_floor_bytes"] : [])],
  };
}

function answer(model, needed, room, floor, enough) {
  if (model.gated) return ["no", { key: "gated", figures: {} }];
  if (needed === null) return ["unknown", { key: "bytes_unknown", figures: {} }];
  if (enough === false) return ["no", { key: "quota", figures: { need: needed, have: room } }];
  if (enough === null && floor) return ["maybe", { key: "quota_floor", figures: { need: needed, have: room } }];
  // A browser that reports no quota has one all the same; that alone makes nothing doubtful.
  return ["yes", null];
}
