// Keeps the page's files in this browser, so that it opens without a network. The build writes SITE in: a version, and
// the hash of each file that the page needs, as it is when it is unpacked; "" is the page itself. The texts of a language
// are kept by a page that speaks it (ui/offline.js), and from then on in every version.
//
// 1. A version is used once all of it is here, each file as its hash says. What was cut off goes on where it was.
// 2. A page, its worker and all they load are of the version that the page began with, also after a newer one took over.
// 3. A newer version waits until no page of this one is open, or a page asks for it.
// 4. What is not one of these files is not touched: settings, nodes, other pages.
//
// Besides, it shows records by their addresses, https://dweb/{did}/… (boot/dweb.mjs): so a page that was there before it
// comes under it, and goes on with the network alone.
import { isDrl, isVisit, shown, visited } from "./boot/dweb.mjs";

const scope = self.registration.scope;
const hashes = (found) => new Map(Object.entries(found).map(([path, hash]) => [new URL(path, scope).href, hash]));
const [files, texts] = [hashes(SITE.files), hashes(SITE.texts)];
const page = new Set([scope, new URL("index.html", scope).href]);

const KEPT = "web5-site-";
const PAGES = "web5-pages"; // which version each open page, or worker, is of
const NETWORK = "network"; // instead of a version, where ours is not whole

// Each of these takes as long as to find a file.
const caching = new Map();
const versions = new Map(); // by client; what PAGES has is for when this service worker has ended meanwhile

function cacheOf(version) {
  if (!caching.has(version)) caching.set(version, caches.open(KEPT + version));
  return caching.get(version);
}
const address = (url) => url.split(/[?#]/, 1)[0];

// What the build has compressed is kept unpacked: later starts have nothing to unpack, and a browser keeps what it has
// compiled of a response from here, which it does not of one that a page makes. By that header, the page knows.
const TYPES = { json: "application/json", wasm: "application/wasm", mjs: "text/javascript", zip: "application/zip" };
const typeOf = (url) => TYPES[/\.(\w+)\.gz$/.exec(url)?.[1]];

async function fetched(url) {
  try {
    // A name with a hash stands for one content; any other may be in the browser's own cache since an older version.
    return await checked(url, isForEver(url) ? "force-cache" : "no-cache");
  } catch {
    return checked(url, "reload");
  }
}

async function checked(url, cache) {
  const type = typeOf(url);
  const integrity = type ? "" : `sha256-${hashOf(url)}`;
  const response = await fetch(url, { integrity, cache });
  if (!response.ok || response.redirected) throw new Error(`${url}: ${response.status}`);
  return type ? unpacked(url, type, await response.arrayBuffer()) : response;
}

async function unpacked(url, type, bytes) {
  const start = new Uint8Array(bytes, 0, 2);
  const isPacked = start[0] === 0x1f && start[1] === 0x8b; // some servers have the browser unpack it
  const stream = () => new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"));
  const content = isPacked ? await new Response(stream()).arrayBuffer() : bytes;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  if (btoa(String.fromCharCode(...hash)) !== hashOf(url)) throw new Error(`${url} is not what it should be`);
  return new Response(content, { headers: { "content-type": type, "web5-unpacked": "" } });
}

const hashOf = (url) => files.get(url) ?? texts.get(url);
const languageOf = (url) => /\/texts-(\w+)\./.exec(url)?.[1];
const isForEver = (url) => /[-.][0-9a-f]{16}[./]/.test(url);

async function keepAll() {
  const kept = await cacheOf(SITE.version);
  const older = (await caches.keys()).filter((name) => name.startsWith(KEPT));
  for (const url of files.keys()) {
    if (await kept.match(url)) continue;
    let found;
    if (isForEver(url)) for (const name of older) found ??= await (await caches.open(name)).match(url);
    await kept.put(url, found ?? (await fetched(url)));
  }
  const spoken = new Set();
  for (const name of older) for (const { url } of await (await caches.open(name)).keys()) spoken.add(languageOf(url));
  for (const url of texts.keys()) {
    if (spoken.has(languageOf(url)) && !(await kept.match(url))) await kept.put(url, await fetched(url));
  }
}

async function remember(client, version) {
  if (!client) return;
  versions.set(client, version);
  await (await caches.open(PAGES)).put(new URL(`?client=${client}`, scope), new Response(version));
}

async function versionOf(client) {
  if (versions.has(client)) return versions.get(client);
  const found = client && (await (await caches.open(PAGES)).match(new URL(`?client=${client}`, scope)));
  return found ? found.text() : SITE.version;
}

async function forgetOthers() {
  const pages = await caches.open(PAGES);
  const open = new Set((await self.clients.matchAll({ includeUncontrolled: true, type: "all" })).map(({ id }) => id));
  const needed = new Set([KEPT + SITE.version]);
  for (const request of await pages.keys()) {
    const client = new URL(request.url).searchParams.get("client");
    if (open.has(client)) {
      needed.add(KEPT + (await versionOf(client)));
    } else {
      versions.delete(client);
      await pages.delete(request);
    }
  }
  caching.clear();
  for (const name of await caches.keys()) if (name.startsWith(KEPT) && !needed.has(name)) await caches.delete(name);
}

async function takePages() {
  for (const { id } of await self.clients.matchAll({ includeUncontrolled: true, type: "all" })) {
    const known = versions.has(id) || (await (await caches.open(PAGES)).match(new URL(`?client=${id}`, scope)));
    if (!known) await remember(id, NETWORK);
  }
  await self.clients.claim();
}

async function opened(event) {
  const kept = await cacheOf(SITE.version);
  const whole = (await kept.keys()).filter(({ url }) => files.has(url)).length >= files.size;
  event.waitUntil(remember(event.resultingClientId, whole ? SITE.version : NETWORK));
  return whole ? kept.match(scope) : fetch(event.request);
}

async function answered(event) {
  const { request, clientId, resultingClientId } = event;
  const version = await versionOf(clientId);
  if (resultingClientId && resultingClientId !== clientId) event.waitUntil(remember(resultingClientId, version)); // a worker
  if (version === NETWORK) return fetch(request);
  return (await found(version, address(request.url))) ?? fetch(request);
}

async function found(version, url) {
  try {
    return await (await cacheOf(version)).match(url);
  } catch {
    caching.delete(version); // the browser has let go of it
  }
}

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takePages().then(forgetOthers)));
self.addEventListener("message", ({ data }) => data === "take over" && self.skipWaiting());
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = address(request.url);
  if (isDrl(url)) return event.respondWith(shown(request));
  if (isVisit(request)) return event.respondWith(visited(request));
  if (request.method !== "GET") return;
  if (request.mode === "navigate") return page.has(url) && event.respondWith(opened(event));
  if (hashOf(url)) event.respondWith(answered(event));
});
