// Has a snapshot made for the next start, in a worker of its own, once there is nothing else to do.
import { SNAPSHOT } from "./role.mjs";
import { isThere } from "./snapshot.mjs";

const IDLE_MS = 10000;
const LONGEST_MS = 60000;
const LEAST_MEMORY_GIB = 2;
const LEAST_ROOM = 512 << 20; // bytes; a snapshot has 40 MB

// A browser that says nothing of one of these does not say no.
async function isWorthIt() {
  if (!navigator.storage?.getDirectory || !navigator.locks) return false;
  if (navigator.connection?.saveData || navigator.deviceMemory < LEAST_MEMORY_GIB) return false;
  const { quota, usage } = await navigator.storage.estimate();
  return quota - usage > LEAST_ROOM;
}

// Wait until nobody has asked for anything for some time, and no change was told; then make one, unless there is one.
// Returns what is to be called whenever somebody asks.
export function keepOneReady() {
  const events = new BroadcastChannel("web5-events");
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(make, IDLE_MS);
  };
  let busy = wait;
  const make = async () => {
    busy = () => {};
    events.close();
    try {
      if (!(await isWorthIt())) return;
      await navigator.locks.request(SNAPSHOT, { ifAvailable: true }, async (lock) => {
        if (lock && !(await isThere())) await inWorker();
      });
    } catch (error) {
      console.warn(`No snapshot was made for a faster start: ${error}`);
    }
  };
  events.onmessage = () => busy();
  wait();
  return () => busy();
}

function inWorker() {
  const worker = new Worker(self.location.href, { type: "module", name: SNAPSHOT });
  const end = setTimeout(() => worker.terminate(), LONGEST_MS);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: { error } }) => (error ? reject(error) : resolve());
    worker.onerror = ({ message }) => reject(message);
    setTimeout(reject, LONGEST_MS, "it took too long");
  }).finally(() => {
    clearTimeout(end);
    worker.terminate();
  });
}
