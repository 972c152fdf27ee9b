// The language of the page: the one that was chosen in it, or else the browser's. The texts are English where they are used,
// here, in Python and in the pages; of any other language there is a file, which is fetched where that is spoken and put in
// before anything is seen. The build writes ASSETS in: `texts`, the files by their languages.
const CHOSEN = "web5-language"; // as ui/screens/settings/language.py
const TRIES = 3;
const PAUSE_MS = 400;
const PATIENCE_MS = 3000; // after which the page is shown in English meanwhile
const NAMED = ["aria-label", "title", "placeholder", "alt"];

const root = document.documentElement;
let spoken = {};

// A text in the language of the page, with what belongs in its places: t("Loading {name}", { name }).
export function t(english, places = {}) {
  const text = spoken[english] ?? english;
  return text.replace(/\{(\w+)\}/g, (place, name) => places[name] ?? place);
}

// The one of two forms that goes with a number, which is {n} in it.
export function plural(n, one, other) {
  const [first, second] = (spoken[`${one} | ${other}`] ?? `${one} | ${other}`).split(" | ");
  return (n === 1 ? first : second).replace("{n}", n);
}

function chosen() {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null; // this browser keeps nothing
  }
}

function found() {
  const known = ["en", ...Object.keys(ASSETS.texts)];
  return [chosen(), ...navigator.languages.map((one) => one.split("-")[0].toLowerCase()), "en"].find((one) => known.includes(one));
}

async function unpacked(url) {
  const bytes = await (await checked(await fetch(url))).arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return new TextDecoder().decode(bytes); // some servers have the browser unpack it
  return new Response(new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"))).text();
}

function checked(response) {
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return response;
}

async function come(url) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await unpacked(url);
    } catch (error) {
      if (tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
    }
  }
}

// What is between tags, in the words of the language; the space around it stays, but not before a comma.
function said(text) {
  const own = spoken[text.trim().replace(/\s+/g, " ")];
  if (own === undefined) return text;
  const [before, after] = [/^\s*/.exec(text)[0], /\s*$/.exec(text)[0]];
  return (/^[,.;:]/.test(own) ? "" : before) + own + after;
}

function translate(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let at = walker.nextNode(); at; at = walker.nextNode()) {
    if (at.nodeType === Node.TEXT_NODE) {
      const text = said(at.data);
      if (text !== at.data) at.data = text;
      continue;
    }
    for (const name of NAMED) if (at.hasAttribute(name)) at.setAttribute(name, said(at.getAttribute(name)));
    if (at.localName === "template") translate(at.content);
  }
}

const parsed = () =>
  new Promise((resolve) => {
    if (document.readyState !== "loading") return resolve();
    document.addEventListener("readystatechange", resolve, { once: true });
  });

async function change(url) {
  const show = () => delete root.dataset.texts;
  root.dataset.texts = "coming"; // tokens.css hides the page until then
  const late = setTimeout(show, PATIENCE_MS);
  let json = "";
  try {
    const table = await come(url);
    spoken = JSON.parse(table);
    await parsed();
    translate(document);
    json = table;
  } catch (error) {
    console.warn(`The page stays in English: ${error}`);
    root.lang = "en";
    spoken = {};
  }
  clearTimeout(late);
  show();
  return json;
}

// Have the page speak its language. `folder` is the address of the site's folder boot/.
//
//   web5Language: that language.
//   web5Locale: the browser's name of it, for dates and numbers: "de-AT".
//   web5Texts: a promise of its texts, as JSON, once the page has them; an empty text in English.
//   web5TextsFile: the address of the file that has them; undefined in English.
export function speak(folder) {
  const language = found();
  root.lang = language;
  globalThis.web5Language = language;
  globalThis.web5Locale = navigator.languages.find((one) => one.split("-")[0].toLowerCase() === language) ?? language;
  globalThis.web5TextsFile = language === "en" ? undefined : new URL(ASSETS.texts[language], folder).href;
  globalThis.web5Texts = language === "en" ? Promise.resolve("") : change(globalThis.web5TextsFile);
}
