// Starts the worker that is the node at once, while PyScript is still on its way, and carries the page's calls to it.
{
  const worker = new Worker("boot/agent.mjs", { type: "module", name: "agent" });
  const waiting = new Map();
  let last = 0;
  let broken = "";

  const fail = (reason) => {
    broken = reason;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };

  worker.onmessage = ({ data: { id, answer, error } }) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(answer);
    else call?.reject(new Error(error));
  };
  worker.onerror = (event) => fail(event.message || "the worker's program could not be loaded");

  // Call a method of web/app/service.py with its arguments as JSON; a promise of the answer, as JSON.
  globalThis.web5Link = (name, args) =>
    new Promise((resolve, reject) => {
      if (broken) return reject(new Error(broken));
      last += 1;
      waiting.set(last, { resolve, reject });
      worker.postMessage({ id: last, name, args });
    });
}
