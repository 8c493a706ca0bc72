// Questions to the server that serves this page; it computes everything, so that no formula is written a second time here.

import { useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { language } from "./text.js";

/** An answer that is an error: one sentence and what to try. */
export class Failure extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.advice = error.try ?? "";
  }
}

const KEPT = 200;
const kept = new Map();

/** Where a question is asked; a list of values is given one by one under the same name. */
export function address(operation, values = {}) {
  const query = new URLSearchParams(Object.entries({ ...values, lang: language() }).flatMap(([name, value]) => [value].flat().map((one) => [name, one])));
  return `api/${operation}?${query}`;
}

/** The answer of an operation; kept, since a slider often comes back to where it was. */
export async function ask(operation, values, signal) {
  const url = address(operation, values);
  if (kept.has(url)) return kept.get(url);
  const answer = await received(fetch(url, { signal }));
  kept.set(url, answer);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return answer;
}

/** Bytes to the server: the header of a file that was dropped on the page. */
export async function send(operation, bytes, values) {
  return received(fetch(address(operation, values), { method: "POST", body: bytes, headers: { "content-type": "application/octet-stream" } }));
}

async function received(promise) {
  const response = await promise;
  const content = await response.json().catch(() => ({ error: { message: `${response.status} ${response.statusText}` } }));
  if (!response.ok) throw new Failure(response.status, content.error ?? { message: String(response.status) });
  return content;
}

/** Forget what was answered about a machine that may have changed meanwhile. */
export function forget() {
  kept.clear();
}

/**
 * The answer to a question that changes as people move things: the last answer stays (`stale`) until the next is here,
 * so that nothing flickers or jumps. Not asked while `values` is null.
 */
export function useAnswer(operation, values) {
  const [shown, show] = useState({ answer: null, failure: null, stale: true });
  const url = values && address(operation, values);
  const asked = useRef(null);
  useEffect(() => {
    if (!url) return undefined;
    const stop = new AbortController();
    asked.current = url;
    show((before) => ({ ...before, stale: true }));
    ask(operation, values, stop.signal).then(
      (answer) => asked.current === url && show({ answer, failure: null, stale: false }),
      (failure) => failure.name !== "AbortError" && asked.current === url && show((before) => ({ ...before, failure, stale: false })),
    );
    return () => stop.abort();
  }, [url]);
  return shown;
}
