// The worker that is the page's node: web/agent.py on Pyodide, started by web/ui/link.js before the page has any Python.
// In: {id, name, args}. Out: {id, answer} or {id, error}; a node that cannot start fails every call with the reason.
// In, besides: {life}, "freeze" or "resume", when the browser is about to stop the page, or lets it go on; or "ping",
// which is answered by {} as long as the worker lives and comes to it.
import { loadPyodide } from "./interpreter.mjs";

async function start() {
  const pyodide = await loadPyodide({});
  await pyodide.runPythonAsync("import sys; sys.path.insert(0, '/home/pyodide'); import agent");
  return pyodide.pyimport("agent");
}

const agent = start();

self.onmessage = async ({ data: { id, name, args, life } }) => {
  if (life === "ping") return self.postMessage({});
  if (life) return (await agent)[life]();
  try {
    self.postMessage({ id, answer: await (await agent).ask(name, args) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
