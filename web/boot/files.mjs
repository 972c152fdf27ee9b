// Files between the page and its node, in parts or as Blobs, so that no Python holds one whole.
//
// The event "web5-file" says how far one has come that is read, with {key, done, total} as JSON.
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

export function carryFiles(place) {
  const stopped = new Set();
  const tell = (key, done, total) =>
    document.dispatchEvent(new CustomEvent("web5-file", { detail: JSON.stringify({ key, done, total }) }));

  // Read a file by the call that gives its parts; a promise of {"ok": address of a Blob, or "" if it was stopped} or {"error"}, as JSON. A Blob is of its
  // own type only where a browser shows it as a picture and nothing else.
  globalThis.web5ReadFile = async (id, key, type, call) => {
    const parts = [];
    let done = 0;
    for (;;) {
      if (stopped.delete(key)) return JSON.stringify({ ok: "" });
      const answer = JSON.parse(await place.call(call, JSON.stringify({ id, key, at: done })));
      if (answer.error) return JSON.stringify(answer);
      const { part, size } = answer.ok;
      const bytes = bytesOf(part);
      parts.push(new Blob([bytes])); // which the browser may keep on its disk
      done += bytes.length;
      tell(key, done, size);
      if (done < size && bytes.length) continue;
      const blob = new Blob(parts, { type: IMAGES.has(type) ? type : "application/octet-stream" });
      return JSON.stringify({ ok: URL.createObjectURL(blob) });
    }
  };
  globalThis.web5StopReading = (key) => void stopped.add(key);
  globalThis.web5ForgetReading = (key) => void stopped.delete(key);

  globalThis.web5SaveFile = (url, name) => {
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000); // by then the browser has it
  };
  globalThis.web5DropAddress = (url) => URL.revokeObjectURL(url);

  // Put a text where the person writes, as if it had been typed.
  globalThis.web5Insert = (area, text) => {
    if (!area.isConnected) return;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // An element that comes into sight hears "web5-seen", once, as do those around it.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        target.dispatchEvent(new CustomEvent("web5-seen", { bubbles: true }));
      }
    },
    { rootMargin: "200px" },
  );
  globalThis.web5Watch = (element) => observer.observe(element);
}
