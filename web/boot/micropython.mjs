// PyScript's interpreter for our page: MicroPython, with the page's own Python (web/ui) in its file system. All of it is
// under way from the moment this module is evaluated, before PyScript is there. The build writes SHELL in.
import { loadMicroPython as start } from "../node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs";
import { early } from "./shell.mjs";
import { unpack } from "./unpack.mjs";

const page = early(SHELL.page, "application/zip").then((response) => response.arrayBuffer());
page.catch(() => {}); // whoever needs it hears why

export async function loadMicroPython(options) {
  const interpreter = await start(options);
  unpack(interpreter.FS, new Uint8Array(await page), { ui: `${interpreter.FS.cwd()}/ui` });
  return interpreter;
}
