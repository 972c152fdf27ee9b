// Keeps the page's files in this browser, so that it opens without a network. The build writes SITE in: a version, and
// the hash of each file that the page needs; "" is the page itself.
//
// 1. A version is used once all of it is here, each file as its hash says. What was cut off goes on where it was.
// 2. A page, its worker and all they load are of the version that the page began with, also after a newer one took over.
// 3. A newer version waits until no page of this one is open, or a page asks for it.
// 4. What is not one of these files is not touched: settings, nodes, other pages.
const scope = self.registration.scope;
const files = new Map(Object.entries(SITE.files).map(([path, hash]) => [new URL(path, scope).href, hash]));
const page = new Set([scope, new URL("index.html", scope).href]);

const KEPT = "web5-site-";
const PAGES = "web5-pages"; // which version each open page, or worker, is of
const NETWORK = "network"; // instead of a version, where ours is not whole
const PATIENCE_MS = 3000;

const cacheOf = (version) => caches.open(KEPT + version);
const address = (url) => url.split(/[?#]/, 1)[0];

async function fetched(url) {
  // A name with a hash stands for one content; any other may be in the browser's own cache since an older version.
  const response = await fetch(url, { integrity: `sha256-${files.get(url)}`, cache: isForEver(url) ? "default" : "no-cache" });
  if (!response.ok || response.redirected) throw new Error(`${url}: ${response.status}`);
  return response;
}

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
}

async function remember(client, version) {
  if (client) await (await caches.open(PAGES)).put(new URL(`?client=${client}`, scope), new Response(version));
}

async function versionOf(client) {
  const found = client && (await (await caches.open(PAGES)).match(new URL(`?client=${client}`, scope)));
  return found ? found.text() : SITE.version;
}

async function forgetOthers() {
  const pages = await caches.open(PAGES);
  const open = new Set((await self.clients.matchAll({ includeUncontrolled: true, type: "all" })).map(({ id }) => id));
  const needed = new Set([KEPT + SITE.version]);
  for (const request of await pages.keys()) {
    const client = new URL(request.url).searchParams.get("client");
    if (open.has(client)) needed.add(KEPT + (await versionOf(client)));
    else await pages.delete(request);
  }
  for (const name of await caches.keys()) if (name.startsWith(KEPT) && !needed.has(name)) await caches.delete(name);
}

async function opened({ request, resultingClientId }) {
  const kept = await cacheOf(SITE.version);
  const whole = (await kept.keys()).length >= files.size;
  await remember(resultingClientId, whole ? SITE.version : NETWORK);
  return whole ? kept.match(scope) : fetch(request);
}

async function answered({ request, clientId, resultingClientId }) {
  const version = await versionOf(clientId);
  if (resultingClientId && resultingClientId !== clientId) await remember(resultingClientId, version); // a worker
  if (version === NETWORK) return fetch(request);
  const url = address(request.url);
  const kept = await (await cacheOf(version)).match(url);
  if (!kept) return fetch(request);
  if (!isForEver(url)) return kept;
  // The browser has what it compiled of these with what it got from the network, and often the file, too.
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fetch(request).then((response) => (response.ok ? response : kept), () => kept), late]);
}

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("message", ({ data }) => data === "take over" && self.skipWaiting());
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = address(request.url);
  if (request.method !== "GET") return;
  if (request.mode === "navigate") return page.has(url) && event.respondWith(opened(event));
  if (files.has(url)) event.respondWith(answered(event));
});
