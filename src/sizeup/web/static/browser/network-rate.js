// How fast the very file that would be downloaded arrives: a few seconds of it, asked for by range.

/** Bytes a second of `url` over at most `seconds`; null when it cannot be read from a page. The first 200 ms are not counted. */
export async function networkRate(url, seconds = 2) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), (seconds + 5) * 1000);
  try {
    const answer = await fetch(url, { headers: { Range: "bytes=0-268435455" }, signal: stop.signal, cache: "no-store" });
    if (!answer.ok || !answer.body) return null;
    const reader = answer.body.getReader();
    const start = performance.now();
    let bytes = 0, first = null, last = start;
    for (;;) {
      const { done, value } = await reader.read();
      const now = performance.now();
      if (done) break;
      if (first === null && now - start >= 200) first = now;
      else if (first !== null) bytes += value.length;
      last = now;
      if (now - start > seconds * 1000) break;
    }
    await reader.cancel();
    return first !== null && last > first ? (bytes * 1000) / (last - first) : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
