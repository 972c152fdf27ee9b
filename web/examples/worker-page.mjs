// The page: it has no Python, so that nothing holds it up.
const worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
const element = (id) => document.getElementById(id);

worker.onmessage = ({ data }) => {
  const { did, notes } = JSON.parse(data);
  element("did").textContent = did;
  element("notes").replaceChildren(
    ...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
  document.querySelector("#add button").disabled = false;
};

element("add").addEventListener("submit", (event) => {
  event.preventDefault();
  worker.postMessage({ text: element("text").value });
  event.target.reset();
});

// A browser that freezes the page stops the worker, too: so that another tab can be the node, it has to be told.
document.addEventListener("freeze", () => {
  worker.postMessage({ life: "freeze" });
  for (const end = performance.now() + 500; performance.now() < end; );
});
document.addEventListener("resume", () => worker.postMessage({ life: "resume" }));
