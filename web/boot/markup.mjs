// Puts HTML of a note's Markdown into the page. web/app/notes/markdown.py has written it, and lets nothing through that runs;
// here, once more, nothing stays but what is listed, since any page of this origin can write the copy of the notes.
// Pictures are records by their addresses, which the service worker shows (boot/dweb.mjs): before it is there, nobody does.
// A link to one goes below the site, where it shows it too.
const KEPT = new Set(
  "a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split(" ").map((name) => name.toUpperCase()),
);
const LINK = /^(?:https?:\/\/|mailto:|#\/)/i;

const DWEB = /^https?:\/\/dweb\/(?=did:)/i;
const RECORD = /^https:\/\/dweb\/did:[\w.:%-]{1,2048}\/records\/[a-z0-9]{1,100}$/;
const workers = isSecureContext ? navigator.serviceWorker : undefined;

workers?.addEventListener("controllerchange", () => {
  for (const image of document.querySelectorAll("img[data-drl]")) show(image, image.dataset.drl);
});

function show(image, address) {
  if (!workers?.controller) return (image.dataset.drl = address);
  delete image.dataset.drl;
  image.src = address;
}

function pictured(image) {
  const address = image.getAttribute("src") ?? "";
  const alt = image.getAttribute("alt") ?? "";
  if (!RECORD.test(address)) return image.replaceWith(alt);
  for (const { name } of [...image.attributes]) image.removeAttribute(name);
  [image.alt, image.loading, image.decoding] = [alt, "lazy", "async"];
  show(image, address);
}

function followed(href) {
  if (!DWEB.test(href) || !URL.canParse(href)) return href;
  return new URL(href).href.replace(DWEB, new URL("dweb/", document.baseURI).href); // what has ".." in it is none then
}

function cleaned(element) {
  if (element.tagName === "IMG") return pictured(element);
  if (!KEPT.has(element.tagName)) return element.replaceWith(element.textContent);
  const href = element.getAttribute("href") ?? "";
  const start = element.getAttribute("start") ?? "";
  for (const { name } of [...element.attributes]) element.removeAttribute(name);
  if (element.tagName === "OL" && /^\d{1,9}$/.test(start)) element.setAttribute("start", start);
  if (element.tagName !== "A" || !LINK.test(href)) return;
  element.setAttribute("href", followed(href));
  if (href.startsWith("#")) return;
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noreferrer noopener");
}

export function putMarkup(element, html) {
  const template = document.createElement("template"); // where nothing runs, and nothing is loaded
  template.innerHTML = html;
  for (const found of template.content.querySelectorAll("*")) cleaned(found);
  element.classList.add("rich");
  element.replaceChildren(template.content);
}
