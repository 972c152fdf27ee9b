// PyScript's interpreter for the worker: Pyodide, started fast. Use it as `"interpreter": "boot/interpreter.mjs"`,
// together with `"sync_main_only": true` and `"packages_cache": "passthrough"`, and name no packages: web5 and what it
// needs are in. The build fills in ASSETS.
import { loadPyodide as startPyodide, version } from "../node_modules/pyodide/pyodide.mjs";

export { version };

const here = (path) => new URL(path, import.meta.url).href;

export async function loadPyodide(options) {
  const packages = ASSETS.packages.map(({ url }) => fetch(here(url)).then((response) => response.arrayBuffer()));
  const extensions = Object.entries(ASSETS.extensions).map(async ([path, { url }]) => [path, await (await fetch(here(url))).arrayBuffer()]);
  return await startPyodide({
    ...options,
    indexURL: here(ASSETS.pyodide),
    stdLibURL: here(ASSETS.stdlib.url),
    lockFileContents: { info: { abi_version: "2026_0", arch: "wasm32", platform: "emscripten_2026_0", python: "3.14.2", version }, packages: {} },
    packageBaseUrl: here("."),
    fsInit: async (FS, { sitePackages }) => {
      for (const archive of await Promise.all(packages)) unpack(FS, sitePackages, new Uint8Array(archive));
      for (const [path, bytes] of await Promise.all(extensions)) FS.writeFile(`${sitePackages}/${path}`, new Uint8Array(bytes), { canOwn: true });
    },
  });
}

// Lays a stored zip's files out in the file system, without copying their bytes.
function unpack(FS, root, archive) {
  const view = new DataView(archive.buffer);
  const text = new TextDecoder();
  const end = archive.length - 22;
  let at = view.getUint32(end + 16, true);
  const made = new Set();
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const size = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const name = text.decode(archive.subarray(at + 46, at + 46 + nameLength));
    const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const folder = `${root}/${name.slice(0, name.lastIndexOf("/") + 1)}`;
    if (!made.has(folder)) {
      FS.mkdirTree(folder);
      made.add(folder);
    }
    FS.writeFile(`${root}/${name}`, archive.subarray(data, data + size), { canOwn: true });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}
