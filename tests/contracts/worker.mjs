// A plain module worker with Pyodide and web5 as the site starts them. It answers {id, name, args} by calling the function
// of that name in tests/contracts/in_worker.py; what that tells meanwhile goes out as {told}.
import { loadPyodide } from "./boot/interpreter.mjs";

let inWorker;
self.tell = (text) => self.postMessage({ told: text });

async function start() {
  const python = await loadPyodide();
  python.unpackArchive(await (await fetch("source.zip")).arrayBuffer(), "zip", { extractDir: "/source" });
  python.runPython("import sys; sys.path.insert(0, '/source')");
  inWorker = python.pyimport("tests.contracts.in_worker");
}

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    self.postMessage({ id, result: await inWorker[name](...args) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
// A page hears nothing of what a module throws while it is still starting.
start().then(
  () => self.postMessage({ ready: true }),
  (error) => self.postMessage({ failed: String(error) }),
);
