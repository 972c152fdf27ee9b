// PyScript's interpreter for our page: MicroPython, with the page's own Python (web/ui) in its file system, and what its
// texts are in the language of the page (language.mjs). All of it is under way from the moment this module is evaluated,
// before PyScript is there. The build writes SHELL in.
import { loadMicroPython as start } from "../node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs";
import { early } from "./shell.mjs";
import { unpack } from "./unpack.mjs";

const page = early(SHELL.page, "application/zip").then((response) => response.arrayBuffer());
page.catch(() => {}); // whoever needs it hears why

export async function loadMicroPython(options) {
  const interpreter = await start(options);
  const folder = `${interpreter.FS.cwd()}/ui`;
  unpack(interpreter.FS, new Uint8Array(await page), { ui: folder });
  const texts = await globalThis.web5Texts;
  if (texts) interpreter.FS.writeFile(`${folder}/kit/spoken.json`, texts);
  return interpreter;
}
