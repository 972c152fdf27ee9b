// The worker: Python with web5, and run.py in it. In: {run: source}, {stop: true}, {life: "freeze" | "resume"}. Out:
// {ready: true}, {print: "out" | "error" | "value", text}, {stopped: true}, {ended: true}.
import { loadPyodide } from "../boot/interpreter.mjs";

const python = await loadPyodide({});
const source = await fetch(new URL("run.py", import.meta.url));
if (!source.ok) throw new Error(`run.py: HTTP ${source.status}`);
python.runPython(await source.text(), { filename: "run.py" });
const [run, stop] = ["run", "stop"].map((name) => python.globals.get(name));

self.onmessage = ({ data: { run: program, stop: ends, life } }) => {
  if (life) self.dispatchEvent(new Event(life));
  else if (ends) stop();
  else run(program);
};
self.postMessage({ ready: true });
