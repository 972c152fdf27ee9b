// Python's memory once everything is imported, kept in a file of this browser, so that a later start goes on from there.
//
// 1. Whoever takes a snapshot has it alone, and nobody after: a browser opens such a file for one worker at a time, and
//    it is empty before Python runs. So no two workers have the seed of Python's hashes in common, or any other chance.
// 2. It is made in this browser, by a worker that knows nothing of what is stored here.
// 3. A file that is not whole, not of this version of the site, or made under other circumstances is not used.
const FOLDER = "web5-snapshots";
const HEAD = 1 << 16; // bytes: the length of the description, the description, and room
const WORD = 8;
const PATIENCE_MS = 2000; // a worker that starts is busy

const site = new URL("..", import.meta.url).pathname;
const version = `${ASSETS.version}-${ASSETS.built}`;
const ours = `${encodeURIComponent(site)}!`;
const NAME = ours + version;

// What Python has found out about this browser when it started.
const circumstances = () =>
  JSON.stringify([version, navigator.userAgent, navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone]);

const folder = async (options) => (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, options);

// Not against forgers, who would have to be this site: against what a disk or a browser loses.
function sum(bytes) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let found = 0;
  for (let index = 0; index < words.length; index++) found = (Math.imul(found, 31) + words[index]) | 0;
  return found;
}

// The snapshot that is here, for the caller alone; undefined if there is none, or it cannot be had at once.
export async function take() {
  let late = false;
  const taking = open().then((found) => {
    if (late) found?.leave();
    return found;
  });
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)).then(() => void (late = true));
  return Promise.race([taking, patience]).catch(() => undefined); // this browser has no such files, or not here
}

async function open() {
  if (!navigator.storage?.getDirectory) return undefined;
  const parent = await folder();
  const access = await (await parent.getFileHandle(NAME)).createSyncAccessHandle();
  const leave = () => {
    access.truncate(0);
    access.close();
    parent.removeEntry(NAME).catch(() => {}); // an empty one is none
  };
  try {
    const described = describe(access);
    if (described) return { ...described, leave, read: (memory) => read(access, described, memory) };
  } catch {} // what is there is no description
  leave();
  return undefined;
}

function describe(access) {
  const head = new Uint8Array(HEAD);
  access.read(head, { at: 0 });
  const length = new Uint32Array(head.buffer, 0, 1)[0];
  const described = JSON.parse(new TextDecoder().decode(head.subarray(4, 4 + length)));
  const whole = access.getSize() === HEAD + described.used && described.used <= described.size;
  return whole && described.circumstances === circumstances() ? described : undefined;
}

function read(access, { used, sum: expected }, memory) {
  const found = memory.subarray(0, used);
  if (access.read(found, { at: HEAD }) !== used || sum(found) !== expected) throw new Error("the snapshot is damaged");
  memory.fill(0, used);
}

export async function isThere() {
  try {
    return (await (await (await folder()).getFileHandle(NAME)).getFile()).size > 0;
  } catch {
    return false;
  }
}

// Keep one, and none of other versions of this site.
export async function keep(memory, description) {
  const parent = await folder({ create: true });
  for await (const name of parent.keys()) {
    if (name.startsWith(ours) && name !== NAME) await parent.removeEntry(name).catch(() => {}); // it is just being used
  }
  let used = memory.length;
  while (used > 0 && memory[used - 1] === 0) used--;
  used = Math.ceil(used / WORD) * WORD;
  const content = memory.subarray(0, used);
  const described = { ...description, circumstances: circumstances(), used, size: memory.length, sum: sum(content) };
  const text = new TextEncoder().encode(JSON.stringify(described));
  if (text.length > HEAD - 4) throw new Error("there is too much to say about this snapshot");
  const head = new Uint8Array(HEAD);
  new Uint32Array(head.buffer, 0, 1)[0] = text.length;
  head.set(text, 4);
  const access = await (await parent.getFileHandle(NAME, { create: true })).createSyncAccessHandle();
  try {
    access.truncate(0);
    if (access.write(content, { at: HEAD }) !== used) throw new Error("there was no room for all of it");
    access.flush();
    access.write(head, { at: 0 }); // last, since it is what makes the file one
    access.flush();
  } catch (error) {
    access.truncate(0);
    throw error;
  } finally {
    access.close();
  }
}
