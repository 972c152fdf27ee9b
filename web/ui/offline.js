// Has service-worker.js keep this page for when there is no network, and tells of a newer version once it is here.
{
  const HOUR_MS = 3600000;
  const workers = window.top === window && isSecureContext ? navigator.serviceWorker : undefined;
  let registration;
  const tell = (name) => document.dispatchEvent(new CustomEvent(name));

  // Called once the page is there, so that what is kept does not come before what is needed.
  globalThis.web5KeepSite = async () => {
    try {
      registration = await workers?.register("service-worker.js", { updateViaCache: "none" });
      if (!registration) return;
      workers.ready.then(() => tell("web5-offline"));
      const look = () => registration.waiting && registration.active && tell("web5-newer");
      registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
      look();
      setInterval(() => document.hidden || registration.update().catch(() => {}), HOUR_MS);
    } catch (error) {
      console.warn(`This page cannot be kept for when there is no network: ${error}`);
    }
  };

  // Called when the person wants the newer version.
  globalThis.web5TakeNewer = () => {
    const newer = registration?.waiting;
    if (!newer) return location.reload();
    newer.addEventListener("statechange", () => newer.state === "activated" && location.reload());
    newer.postMessage("take over");
  };
}
