// Has service-worker.js keep this page for when there is no network, and tells of a newer version once it is here.
{
  const HOUR_MS = 3600000;
  const FIRST_PAUSE_MS = 5000; // before the page is kept after all, where it could not be; and twice as long each time
  const workers = window.top === window && isSecureContext ? navigator.serviceWorker : undefined;
  const watched = new WeakSet();
  let registration;
  let pause = FIRST_PAUSE_MS;
  const tell = (name) => document.dispatchEvent(new CustomEvent(name));
  const look = () => registration.waiting && registration.active && tell("web5-newer");

  function watch(worker) {
    if (!worker || watched.has(worker)) return;
    watched.add(worker);
    worker.addEventListener("statechange", () => {
      look();
      if (worker.state === "redundant" && !registration.active) tryAgain("not all of it could be fetched");
    });
  }

  // What is kept already stays: only the rest is fetched then.
  function tryAgain(reason) {
    console.warn(`This page is not kept for when there is no network: ${reason}. It is tried again in ${pause / 1000} s.`);
    setTimeout(keep, pause);
    pause = Math.min(2 * pause, HOUR_MS);
  }

  async function keep() {
    try {
      registration = await workers.register("service-worker.js", { updateViaCache: "none" });
    } catch (error) {
      return tryAgain(error);
    }
    if (!registration) return; // a browser, or whoever automates it, wants none
    registration.addEventListener("updatefound", () => watch(registration.installing));
    watch(registration.installing);
    look();
  }

  // The service worker keeps no texts by itself: only here it is known which language is spoken.
  async function keepTexts() {
    const url = globalThis.web5TextsFile;
    if (!url) return;
    for (const name of await caches.keys()) {
      if (!name.startsWith("web5-site-")) continue;
      const kept = await caches.open(name);
      if (!(await kept.match(url))) await kept.add(url);
    }
  }

  // Called once the page is there, so that what is kept does not come before what is needed.
  globalThis.web5KeepSite = () => {
    if (!workers) return;
    workers.ready.then(keepTexts).catch(console.warn).then(() => tell("web5-offline"));
    setInterval(() => document.hidden || registration?.update().catch(() => {}), HOUR_MS);
    keep();
  };

  // Called when the person wants the newer version.
  globalThis.web5TakeNewer = () => {
    const newer = registration?.waiting;
    if (!newer) return location.reload();
    newer.addEventListener("statechange", () => newer.state === "activated" && location.reload());
    newer.postMessage("take over");
  };
}
