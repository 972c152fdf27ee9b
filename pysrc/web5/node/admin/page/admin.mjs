// The operator's page. Whatever comes from the node is shown as text; the token stays in this module.

import { plot } from "./plot.mjs";

const REFRESH = 30_000;
const el = (id) => document.getElementById(id);
let token = "";
let state = null;
let timer = 0;
let asked = 0;
let chosen = null;

// -- requests

async function ask(path, body) {
  const response = await fetch(`api/${path}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${token}` },
    body: body && JSON.stringify({ at: state?.at, ...body }),
    credentials: "omit",
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.message ?? `The node answered ${response.status}.`), { status: response.status });
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  const query = new URLSearchParams({ search: el("search").value });
  if (el("path").value) query.set("at", el("path").value);
  try {
    const found = await ask(`state?${query}`);
    if (mine !== asked) return;
    state = found;
    show();
  } catch (error) {
    if (mine !== asked) return;
    if (error.status === 401) leave(error.message);
    else el("problem").textContent = error.status ? error.message : "The node does not answer.";
  }
  if (token) timer = setTimeout(refresh, REFRESH);
}

async function act(path, body) {
  try {
    const answer = await ask(path, body);
    await refresh();
    return answer;
  } catch (error) {
    if (error.status === 401) leave(error.message);
    else el("problem").textContent = error.message;
    return null;
  }
}

// -- coming and going

async function enter(event) {
  event.preventDefault();
  token = el("token").value;
  try {
    state = await ask("state");
  } catch (error) {
    token = "";
    el("enter-problem").textContent = error.status ? error.message : "The node does not answer.";
    el("token").select();
    return;
  }
  el("token").value = el("enter-problem").textContent = "";
  el("enter").hidden = true;
  el("inside").hidden = el("leave").hidden = false;
  show();
  el("search").focus({ preventScroll: true });
  timer = setTimeout(refresh, REFRESH);
}

function leave(reason = "") {
  clearTimeout(timer);
  asked++;
  token = "";
  state = null;
  if (el("quota").open) el("quota").close();
  el("code").textContent = el("quota-did").textContent = el("search").value = "";
  chosen = null;
  for (const id of ["tenants", "invitations", "errors", "plots", "sums"]) el(id).replaceChildren();
  el("inside").hidden = el("leave").hidden = el("path-label").hidden = el("code-words").hidden = true;
  el("enter").hidden = false;
  el("enter-problem").textContent = reason;
  el("token").focus();
}

// -- what is shown

const count = (number) => number.toLocaleString("en");

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) {
    bytes /= 1000;
    at++;
  }
  return `${at && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
}

const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

function made(name, text, more = {}) {
  const one = Object.assign(document.createElement(name), more);
  if (text !== undefined) one.textContent = text;
  return one;
}

// Replaces rows, and gives the focus back to the button that had it.
function rows(body, found) {
  const focused = document.activeElement;
  const key = body.contains(focused) ? focused.getAttribute("aria-label") : null;
  body.replaceChildren(...found);
  if (key !== null) {
    const buttons = [...body.querySelectorAll("button")];
    const again = buttons.find((one) => one.getAttribute("aria-label") === key)
      ?? buttons.find((one) => one.getAttribute("aria-label").split(" ").at(-1) === key.split(" ").at(-1));
    (again ?? body.closest(".table")).focus();
  }
}

function button(label, about, pressed) {
  const one = made("button", label, { type: "button" });
  one.setAttribute("aria-label", `${label} ${about}`);
  one.addEventListener("click", pressed);
  return one;
}

function actions(...buttons) {
  const cell = made("td");
  const row = made("div", undefined, { className: "row" });
  row.append(...buttons);
  cell.append(row);
  return cell;
}

function headed(text, title) {
  const one = made("th", text, { scope: "row" });
  one.title = title ?? text;
  return one;
}

function tenant(one) {
  const row = made("tr");
  const of = (shown, name) => shown(one[name]) + (one.quota[name] ? ` of ${shown(one.quota[name])}` : "");
  const suspended = one.state === "suspended";
  const act1 = suspended ? "resume" : "suspend";
  const buttons = [
    button(suspended ? "Resume" : "Suspend", one.did, () => act("tenant", { did: one.did, action: act1 })),
    button("Quota", one.did, () => openQuota(one)),
  ];
  if (state.admission !== "open" && !suspended) {
    const admit = one.state === "served" ? "disallow" : "allow";
    buttons.push(button(admit === "allow" ? "Admit" : "Send away", one.did, () => act("tenant", { did: one.did, action: admit })));
  }
  row.append(
    headed(one.did),
    made("td", one.state, { className: suspended ? "bad" : "" }),
    made("td", of(count, "messages")),
    made("td", of(size, "bytes")),
    actions(...buttons),
  );
  return row;
}

function invitation(one) {
  const row = made("tr");
  const now = Date.now() * 1000;
  const over = one.used >= one.uses ? "used up" : one.ends !== null && one.ends <= now ? "ended" : "";
  row.append(
    headed(one.id),
    made("td", one.note || "–"),
    made("td", `${count(one.used)} of ${count(one.uses)}`),
    made("td", over || (one.ends === null ? "no end" : moment(one.ends / 1_000_000))),
    actions(button("Revoke", one.id, () => act("revoke", { id: one.id }))),
  );
  return row;
}

const ADMISSION = {
  open: "Everybody is served (admission = \"open\"): a code admits nobody yet.",
  list: "Those that you admit are served (admission = \"list\"): a code admits nobody yet.",
  invitation: "Who registers with a code is served (admission = \"invitation\"). A person takes two uses: identity and agent.",
};

function show() {
  el("problem").textContent = state.trouble ? `The store has trouble: ${state.trouble}` : "";
  const paths = state.paths;
  if (el("path").length !== paths.length) {
    el("path").replaceChildren(...paths.map((path) => made("option", path, { value: path })));
  }
  el("path").value = state.at;
  el("path-label").hidden = paths.length < 2;
  showFigures();
  rows(el("tenants"), state.tenants.map(tenant));
  const few = state.tenants.length < 100 ? "" : "The 100 that keep most are shown; find others by their DID.";
  el("tenants-words").textContent = state.tenants.length ? few : "Nobody has anything here.";
  el("admission").textContent = ADMISSION[state.admission];
  el("invitations-table").hidden = !state.invitations.length;
  rows(el("invitations"), state.invitations.map(invitation));
  const errors = state.errors.map((one) => {
    const line = made("li");
    line.append(made("time", moment(one.at)), `${one.words}${one.id ? ` (request ${one.id})` : ""}`);
    return line;
  });
  el("errors").replaceChildren(...(errors.length ? errors : [made("li", "None since the start.")]));
}

function showFigures() {
  const { names, samples } = state.figures;
  const of = Object.fromEntries(names.map((name, at) => [name, samples.map((sample) => sample[at])]));
  const sums = { Tenants: count(state.whole.tenants), Messages: count(state.whole.messages), Stored: size(state.whole.bytes) };
  const sum = (values) => values.reduce((all, one) => all + one, 0);
  sums["Requests, last day"] = count(sum(of.requests));
  sums["Failed, last day"] = count(sum(of.failed));
  el("sums").replaceChildren(...Object.entries(sums).map(([name, value]) => {
    const one = made("div");
    one.append(made("dt", name), made("dd", value));
    return one;
  }));
  el("plots-words").textContent = "Of this process, a sample a minute, since it was started; times are this browser's.";
  const line = (values, className = "value") => ({ values, className });
  const milliseconds = (number) => `${number < 10 ? number.toFixed(1) : Math.round(number)} ms`;
  el("plots").replaceChildren(
    plot("Requests a minute (dashed: failed)", of.at, [line(of.requests), line(of.failed, "failed")], count),
    plot("Mean time of a request", of.at, [line(of.milliseconds)], milliseconds),
    plot("Stored by all tenants", of.at, [line(of.bytes)], size),
    plot("Open sockets", of.at, [line(of.sockets)], count),
  );
}

// -- quota

function openQuota(one) {
  chosen = one;
  el("quota-did").textContent = one.did;
  el("quota-bytes").value = one.own.bytes ?? "";
  el("quota-messages").value = one.own.messages ?? "";
  el("quota-problem").textContent = "";
  el("quota").showModal();
}

async function saveQuota(event) {
  event.preventDefault();
  const number = (id) => (el(id).value.trim() === "" ? null : Number(el(id).value));
  try {
    await ask("tenant", { did: chosen.did, action: "quota", bytes: number("quota-bytes"), messages: number("quota-messages") });
  } catch (error) {
    if (error.status === 401) leave(error.message);
    else el("quota-problem").textContent = error.message;
    return;
  }
  el("quota").close();
  await refresh();
}

async function invite(event) {
  event.preventDefault();
  const number = (id) => Number(el(id).value);
  const note = el("invite-note").value.trim();
  const made = await act("invite", { note, uses: number("invite-uses"), days: number("invite-days") });
  if (made === null) return;
  el("code").textContent = made.code;
  el("code-words").hidden = false;
  el("invite-note").value = "";
}

el("enter").addEventListener("submit", enter);
el("leave").addEventListener("click", () => leave());
el("path").addEventListener("change", refresh);
el("find").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
el("invite").addEventListener("submit", invite);
el("quota-form").addEventListener("submit", saveQuota);
el("quota-cancel").addEventListener("click", () => el("quota").close());
el("token").focus();
