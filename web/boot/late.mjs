// What of Python comes later, or was done beforehand: the part of the standard library that is fetched when something
// imports it (late_stdlib.py), and the code of what is generated at imports (generated_code.py).

// What a file has, at once: an import cannot wait.
function fetchNow(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.overrideMimeType("text/plain; charset=x-user-defined"); // a page is not given bytes this way, but characters
  request.send();
  if (request.status !== 200) throw new Error(`${url}: ${request.status}`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 0xff);
}

export function installLate(pyodide) {
  const archives = ASSETS.late.map(({ url, names }) => ({ url: new URL(url, import.meta.url).href, names }));
  pyodide.pyimport("generated_code").install();
  pyodide.pyimport("late_stdlib").install(JSON.stringify(archives), fetchNow);
}
