// The form that runs a file of the visitor's own: what it would fetch is said before the click, predicted stands beside measured.

import { engineSource, run } from "./engine.js";
import { judge } from "./rules/verdict.js";

export function runForm(state, at) {
  const source = engineSource(state.device);
  let ran = null;
  state.drawRun = () => {
    const { say, show } = state;
    at("run-engine").textContent = source.host ? say("run.engine_cdn", { size: show.bytes(source.bytes), host: source.host }) : say("run.engine_here");
    at("go").textContent = say(source.host ? "run.button" : "run.button_here");
    if (ran) at("run-measured").textContent = measuredWords(state, ran);
  };
  state.drawRun();
  at("run").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { say } = state;
    const [file] = at("file").files;
    if (!file) {
      at("run-status").textContent = say("run.no_file");
      at("file").focus();
      return;
    }
    at("go").disabled = true;
    at("said").textContent = at("run-measured").textContent = "";
    try {
      const onStep = (step) => (at("run-status").textContent = say(`run.${step}`));
      const onText = (text) => (at("said").textContent = at("prompt").value + text);
      ran = { ...(await run(source, file, { prompt: at("prompt").value, onStep, onText })), predicted: predicted(state, file) };
      state.ran = ran;
      at("run-status").textContent = "";
      at("run-measured").textContent = measuredWords(state, ran);
      at("run").dataset.ran = JSON.stringify({ ...ran, said: undefined });
    } catch (error) {
      at("run-status").textContent = say("run.failed", { error: error.message });
    }
    at("go").disabled = false;
  });
}

/** The verdict on this very file; its speed only when its bytes are those of a build whose parameters are known. */
function predicted(state, file) {
  const builds = state.list.flatMap((one) => one.builds);
  const known = builds.find((build) => build.engine === "wllama" && build.bytes === file.size);
  const model = known ?? { id: file.name, engine: "wllama", kind: "chat", bytes: file.size, largestFileBytes: file.size };
  return judge(model, { ...state.device, ...state.measured }, state.rules);
}

function measuredWords({ say, show }, ran) {
  const { lower, upper } = ran.predicted.speed;
  const words = [
    say("run.measured", { pace: ran.tokensPerS === null ? "?" : show.pace(ran.tokensPerS), seconds: show.time(ran.loadedS) }),
    lower === null ? say("run.unpredicted") : say("run.predicted", { low: show.pace(lower), high: show.pace(upper) }),
    say("run.really", { build: ran.build, threads: ran.threads }),
  ];
  return words.join(say("stop"));
}
