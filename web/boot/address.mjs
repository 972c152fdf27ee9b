// The place of the page that is shown: the one that its address names (`#/messages/did:…`), before Python is there, and
// without it. What else follows from it, ui/shell/places.py does at the event "web5-place".
const PLACES = ["home", "notes", "messages", "data", "nodes", "settings"];
const USUAL = "notes"; // where the page begins
const WELCOMED = "web5-welcomed"; // as ui/screens/home/screen.py
const LONGEST = 3000; // of an address that somebody sends

export function followAddress() {
  const root = document.documentElement;

  // The place, and what of it: an ID, or nothing.
  const named = () => {
    const [hash, place, ...rest] = location.hash.slice(0, LONGEST).split("/");
    if (hash !== "#" || !PLACES.includes(place)) return [USUAL, ""];
    return [place, rest.join("/")];
  };

  const mark = () => {
    for (const link of document.querySelectorAll("a[data-place]")) {
      if (link.dataset.place === root.dataset.place) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };

  const go = () => {
    [root.dataset.place, root.dataset.what] = named();
    mark();
    document.dispatchEvent(new CustomEvent("web5-place"));
  };

  globalThis.web5Go = (address) => {
    location.hash = `#/${address}`;
    go(); // and not only once the browser has told that it is another
  };
  if (!globalThis.web5Kept("localStorage", WELCOMED)) root.dataset.visit = "first";
  addEventListener("hashchange", go);
  document.addEventListener("readystatechange", mark, { once: true });
  // A link within the page would take the place of the address.
  document.addEventListener("click", (event) => {
    if (event.target.id !== "skip") return;
    event.preventDefault();
    document.getElementById("main").focus();
  });
  go();
}
