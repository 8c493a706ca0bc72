// A model file dropped on the page: only its header is read, and sent to the server on this machine, never the weights.

import { send } from "../api.js";
import { t } from "../text.js";

const FIRST = 4 * 2 ** 20;
const MOST = 64 * 2 ** 20;

/** The server's description of the model in a .gguf file; its `model` names it in later questions. */
export async function readHeader(file) {
  for (let count = Math.min(FIRST, file.size); ; ) {
    const answer = await send("header", await file.slice(0, count).arrayBuffer(), { name: file.name, bytes: file.size });
    if (!answer.needs_bytes) return answer;
    if (count >= Math.min(file.size, MOST)) throw new Error(t("page.header_cut", { name: file.name }));
    count = Math.min(Math.max(answer.needs_bytes, 2 * count), file.size, MOST);
  }
}
