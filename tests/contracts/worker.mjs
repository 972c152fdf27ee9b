// A plain module worker with Pyodide, the site's wheels and this checkout's Python. It answers {id, name, args} by calling
// the function of that name in tests/contracts/in_worker.py; what that tells meanwhile goes out as {told}.
const { runtime, wheels } = await (await fetch("assets.json")).json();
const { loadPyodide } = await import(new URL(`${runtime}/pyodide.mjs`, import.meta.url).href);
const python = await loadPyodide();
await python.loadPackage(wheels.map((path) => new URL(path, import.meta.url).href), { messageCallback: () => {} });
python.unpackArchive(await (await fetch("source.zip")).arrayBuffer(), "zip", { extractDir: "/source" });
python.runPython("import sys; sys.path.insert(0, '/source')");
const inWorker = python.pyimport("tests.contracts.in_worker");
self.tell = (text) => self.postMessage({ told: text });

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    self.postMessage({ id, result: await inWorker[name](...args) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
self.postMessage({ ready: true });
