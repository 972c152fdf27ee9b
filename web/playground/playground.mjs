// The page: an editor, and a worker that runs what is in it. Each program is a file in programs/; what was changed in one
// is kept for the next visit, and is in the address of none.
import { codemirror } from "../pyscript/core.js";

const { web5Text: t, web5Texts } = globalThis; // of boot/language.mjs
await web5Texts;

const PROGRAMS = [
  ["hello", t("Hello: write, read, query")],
  ["models", t("Records that are pydantic models")],
  ["live", t("A list that stays true")],
  ["nodes", t("What is on which node")],
  ["encrypted", t("Encrypted, and still yours")],
  ["publish", t("Published, for anybody")],
];
const MOST_LINES = 2000;
const LONGEST_LINE = 100_000;
const STOP_PATIENCE = 2000; // milliseconds for a program to end that was asked to

const element = (id) => document.getElementById(id);
const output = element("output");
let view = null; // CodeMirror's, once it is here
let program = "";
let original = "";
let opening = null; // the name of a program that is being fetched
let worker = null;
let isReady = false;
let isRunning = false;
let waiting = null; // a program that is to be run once Python is there
let patience = 0;

const text = () => (view ? view.state.doc.toString() : element("text").value);

function write(content) {
  if (view) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: content } });
  else element("text").value = content;
  showChange();
}

function showChange() {
  const changed = text() !== original;
  element("again").hidden = !changed;
  try {
    if (changed) localStorage.setItem(`playground:${program}`, text());
    else localStorage.removeItem(`playground:${program}`);
  } catch {} // a page that may store nothing has it until it is closed
}

async function open(name) {
  opening = name;
  show();
  const response = await fetch(new URL(`programs/${name}.py`, import.meta.url)).catch((error) => error);
  const source = response.ok ? (await response.text()).trimEnd() : null;
  if (opening !== name) return; // another one was chosen meanwhile
  opening = null;
  show();
  element("programs").value = source === null ? program : name;
  if (source === null) {
    const why = response.status ?? t("there is no network");
    return say(t("{name} could not be fetched: {why}", { name, why }));
  }
  program = name;
  original = source;
  history.replaceState(null, "", `#${name}`);
  let kept = null;
  try {
    kept = localStorage.getItem(`playground:${name}`);
  } catch {}
  write(kept ?? original);
}

const say = (words) => {
  element("state").textContent = words;
};

function show() {
  element("run").disabled = isRunning || waiting !== null || opening !== null;
  element("stop").disabled = !isRunning && waiting === null;
  say(waiting !== null ? t("Python is starting") : isRunning ? t("Running") : "");
}

function print(kind, words) {
  const isAtEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
  const ends = words.endsWith("\n");
  let line = output.lastElementChild;
  if (line?.dataset.kind !== kind || "ended" in line.dataset) {
    line = document.createElement("div");
    line.dataset.kind = kind;
    output.append(line);
  }
  const content = line.textContent + (ends ? words.slice(0, -1) : words);
  line.textContent = content.length > LONGEST_LINE ? `${content.slice(0, LONGEST_LINE)}…` : content;
  if (ends || kind === "value") line.dataset.ended = "";
  while (output.childElementCount > MOST_LINES) output.firstElementChild.remove();
  if (isAtEnd) output.scrollTop = output.scrollHeight;
}

function start() {
  isReady = false;
  worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.print) print(data.print, data.text);
    if (data.stopped) print("error", t("Stopped."));
    if (data.ready) {
      isReady = true;
      if (waiting !== null) send(waiting);
    }
    if (data.ended) ended();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const why = event.message ?? t("a file of it could not be fetched");
    print("error", t("Python could not be started: {why}", { why }));
    worker.terminate();
    worker = null;
    ended();
  };
}

function ended() {
  clearTimeout(patience);
  isRunning = false;
  waiting = null;
  show();
}

function send(source) {
  waiting = null;
  isRunning = true;
  worker.postMessage({ run: source });
  show();
}

function run() {
  if (isRunning || waiting !== null || opening !== null) return;
  output.replaceChildren();
  if (!worker) start();
  if (isReady) send(text());
  else {
    waiting = text();
    show();
  }
}

function stop() {
  if (waiting !== null) return ended();
  if (!isRunning) return;
  say(t("Stopping"));
  worker.postMessage({ stop: true });
  patience = setTimeout(() => {
    worker.terminate();
    print("error", t("It did not stop by itself: Python was ended, with all names that the program had."));
    start();
    ended();
  }, STOP_PATIENCE);
}

for (const [name, title] of PROGRAMS) element("programs").append(new Option(title, name));
element("programs").onchange = () => open(element("programs").value);
element("again").onclick = () => write(original);
element("text").oninput = showChange;
element("run").onclick = run;
element("stop").onclick = stop;
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  },
  true,
);
// A browser that freezes the page stops the worker, too: so that another tab can be the node, it has to be told.
document.addEventListener("freeze", () => {
  worker?.postMessage({ life: "freeze" });
  for (const end = performance.now() + 500; performance.now() < end; );
});
document.addEventListener("resume", () => worker?.postMessage({ life: "resume" }));

const wanted = location.hash.slice(1);
await open(PROGRAMS.some(([name]) => name === wanted) ? wanted : PROGRAMS[0][0]);
start();

const [
  { basicSetup, EditorView },
  { python },
  { defaultHighlightStyle, HighlightStyle, indentUnit, syntaxHighlighting },
] = await Promise.all([
  codemirror.core,
  codemirror.python,
  codemirror.language,
]);
const theme = EditorView.theme({
  "&": { height: "100%", color: "inherit", fontSize: "var(--small)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { background: "none", border: "none", color: "var(--ink-quiet)" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "none" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { background: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
});
// CodeMirror's own colours are for white paper: each has one of ours, which can be read on dark, too.
const colours = {
  "#404740": "var(--ink-quiet)",
  "#708": "light-dark(#7a0c84, #d9a2f0)",
  "#219": "light-dark(#1a2f91, #9db8ff)",
  "#164": "light-dark(#0f5b39, #7ddba6)",
  "#a11": "light-dark(#9b1c14, #ffab9f)",
  "#e40": "light-dark(#a13a00, #ffb37c)",
  "#00f": "light-dark(#123fbf, #9db8ff)",
  "#940": "var(--ink-quiet)",
};
const highlight = HighlightStyle.define(
  defaultHighlightStyle.specs.map((one) => (one.color ? { ...one, color: colours[one.color] ?? "inherit" } : one)),
);
const before = element("text");
const selection = { anchor: before.selectionStart, head: before.selectionEnd };
const hadFocus = document.activeElement === before;
// In a shadow tree, CodeMirror's styles are a constructed sheet, which the page's policy lets pass.
const host = document.createElement("div");
view = new EditorView({
  parent: host.attachShadow({ mode: "open" }),
  doc: before.value,
  selection,
  extensions: [
    basicSetup,
    python(),
    indentUnit.of("    "),
    theme,
    syntaxHighlighting(highlight),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": "Python", tabindex: "0" }),
    EditorView.updateListener.of((update) => update.docChanged && showChange()),
  ],
});
before.replaceWith(host);
if (hadFocus) view.focus();
