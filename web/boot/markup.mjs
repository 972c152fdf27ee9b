// Puts HTML of a note's Markdown into the page. web/app/notes/markdown.py has written it, and lets nothing through that runs;
// here, once more, nothing stays but what is listed, since any page of this origin can write the copy of the notes.
const KEPT = new Set(
  "a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split(" ").map((name) => name.toUpperCase()),
);
const LINK = /^(?:https?:\/\/|mailto:|#\/)/i;

function cleaned(element) {
  if (!KEPT.has(element.tagName)) return element.replaceWith(element.textContent);
  const href = element.getAttribute("href") ?? "";
  const start = element.getAttribute("start") ?? "";
  for (const { name } of [...element.attributes]) element.removeAttribute(name);
  if (element.tagName === "OL" && /^\d{1,9}$/.test(start)) element.setAttribute("start", start);
  if (element.tagName !== "A" || !LINK.test(href)) return;
  element.setAttribute("href", href);
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
