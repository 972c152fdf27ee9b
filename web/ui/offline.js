// Has service-worker.js keep this page for when there is no network, and tells of a newer version once it is here.
{
  const HOUR_MS = 3600000;
  const FIRST_PAUSE_MS = 5000; // before it is looked whether the page is kept by now; and twice as long each time
  const workers = window.top === window && isSecureContext ? navigator.serviceWorker : undefined;
  const watched = new WeakSet();
  let registration;
  let isKept = false;
  let pause = FIRST_PAUSE_MS;
  let next;
  const tell = (name) => document.dispatchEvent(new CustomEvent(name));
  const look = () => registration.waiting && registration.active && tell("web5-newer");
  const later = (reason) => console.warn(`This page is not kept for when there is no network: ${reason}. It is tried again.`);

  function watch() {
    const worker = registration.installing;
    if (!worker || watched.has(worker)) return;
    watched.add(worker);
    worker.addEventListener("statechange", () => {
      look();
      if (worker.state === "redundant" && !registration.active) later("not all of it could be fetched");
    });
  }

  // Looks after it until the page is kept, also where a browser has ended an installation, or a request, and does not say
  // so. What is kept already stays: only the rest is fetched then.
  async function keep() {
    clearTimeout(next);
    if (isKept) return;
    next = setTimeout(keep, pause);
    pause = Math.min(2 * pause, HOUR_MS);
    try {
      registration = await workers.register("service-worker.js", { updateViaCache: "none" });
      if (!registration) return clearTimeout(next); // a browser, or whoever automates it, wants none
      registration.addEventListener("updatefound", watch);
      watch();
      look();
      if (registration.active) await keepTexts();
      if (!registration.active || isKept) return;
    } catch (error) {
      return later(error);
    }
    isKept = true;
    clearTimeout(next);
    tell("web5-offline");
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
    workers.ready.then(keep);
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
