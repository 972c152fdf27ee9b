// The configuration of a page's PyScript. On another site, it is written out: { "packages": ["web5-py"], "index_urls":
// ["https://…/simple"], … }, where a relative address would not do, because micropip makes it relative to nothing.
const site = new URL("..", import.meta.url).href;

document.addEventListener("submit", (event) => event.preventDefault()); // also before Python is there to listen

for (const script of document.querySelectorAll('script[type="py"]')) {
  script.setAttribute(
    "config",
    JSON.stringify({
      interpreter: new URL("pyodide/pyodide.mjs", site).href,
      packages: ["web5-py"],
      packages_cache: "never",
      index_urls: [new URL("simple", site).href],
    }),
  );
}

await import("../pyscript/core.js");
