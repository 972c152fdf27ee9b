// The worker: the site's Pyodide, web5-py from the site's index, and then worker.py.
import { loadPyodide } from "../pyodide/pyodide.mjs";

const python = await loadPyodide();
await python.loadPackage("micropip");
const { install } = python.pyimport("micropip");
await install.callKwargs("web5-py", { index_urls: new URL("../simple", import.meta.url).href });

self.onmessage = async ({ data: { life, text } }) => {
  if (life) self.dispatchEvent(new Event(life));
  else python.globals.get("add")(text); // once the page has been told of something
};
const script = await fetch(new URL("worker.py", import.meta.url));
await python.runPythonAsync(await script.text());
