// Answers for https://dweb/{did}/… in the service worker, as whichever tab is the node has it: web5/agent/drls/ says
// what a page may see, and how it is shown. The service worker works through that tab as another tab does
// (web5/agent/shared/office.py); it knows nothing itself, and keeps nothing.
//
// 1. Only what a page of this site loads comes here, and who goes to dweb/{did}/… below the site, where a browser asks a
//    service worker. Nothing of it is a program, a style or a page.
// 2. Data come as they are read. What the node has given up meanwhile, or a node that has gone, is asked for again from
//    where it was.
import { findLeader, TabChannel } from "./tab_channel.mjs";

const NAME = "web5.api";
const ADDRESS = /^https?:\/\/dweb(?:\/|$)/i;
const LONGEST = 8192; // characters, as web5/dwn/reading/drl.py
const SHOWN = new Set(["", "audio", "image", "track", "video"]);
const LEADER_MS = 30_000; // until a tab is the node
const ANSWER_MS = 60_000; // longer than the node takes for an answer, or for the next bytes
const LOOK_MS = 1000;
const IDLE_MS = 3000;
const TRIES = 3;
const MOST_STREAMS = 24; // fewer than the node has for one caller
const PLAIN = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; sandbox",
  "content-type": "text/plain; charset=utf-8",
  "x-content-type-options": "nosniff",
};

const ALONE = { "cross-origin-opener-policy": "same-origin" }; // no other site has a hold of it

class Failure extends Error {
  constructor(status, message, isOfNode = false) {
    super(message);
    [this.status, this.isOfNode] = [status, isOfNode];
  }
}

const gone = () => new Failure(503, "The tab that had the records of this site has gone. Load this again.", true);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The tab that is the node, as it is called from here.
class Node {
  #channel;
  #calls = new Map();
  #last = 0;
  #leader = null;
  #session = null;

  constructor() {
    this.#channel = new TabChannel(NAME, {
      leading: () => this.#look(),
      expects: (tab) => tab === this.#leader?.key,
      replied: (tab, reply) => this.#replied(tab, reply),
    });
  }

  // Make a call of `Desk`, which has a session with this caller.
  async call(name, args) {
    await this.#find();
    this.#session ??= this.#call("join", {});
    const joined = this.#session;
    let session;
    try {
      session = await joined;
      return await this.#call(name, { session, ...args });
    } catch (error) {
      // What is no longer at hand is no reason to join anew, by which all else would be given up.
      const isOver = !session || (error.isOfNode && name !== "take");
      if (isOver && this.#session === joined) this.#session = null;
      throw error;
    }
  }

  async #look() {
    const found = await findLeader(NAME);
    if (!found || (found.id === this.#leader?.id && found.key === this.#leader.key)) return found;
    [this.#leader, this.#session] = [found, null];
    for (const call of this.#calls.values()) call.reject(gone());
    this.#calls.clear();
    return found;
  }

  async #find() {
    for (const end = Date.now() + LEADER_MS; Date.now() < end; await pause(LOOK_MS)) if (await this.#look()) return;
    throw new Failure(503, "No page of this site has its records at hand. Open one, and load this again.");
  }

  async #call(name, args) {
    const id = String((this.#last += 1));
    const answered = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    const late = setTimeout(() => this.#calls.get(id)?.reject(new Failure(504, "The tab that has the records does not answer.")), ANSWER_MS);
    try {
      await this.#channel.post("call", this.#leader.key, { id, name, args: JSON.stringify(args) });
      return await answered;
    } finally {
      clearTimeout(late);
      this.#calls.delete(id);
    }
  }

  #replied(tab, { id, result, error }) {
    const call = this.#calls.get(String(id));
    if (!call || tab !== this.#leader?.key) return;
    if (typeof result === "string") return call.resolve(JSON.parse(result));
    const message = String(error?.message ?? "");
    if (error?.type === "NodeGone") return call.reject(new Failure(503, message, true));
    call.reject(new Failure(error?.type === "StorageBusy" ? 503 : 502, message));
  }
}

let node;

async function ask(name, args) {
  node ??= new Node();
  for (let tries = 1; ; tries++) {
    try {
      return await node.call(name, args);
    } catch (error) {
      if (!error.isOfNode || tries >= TRIES) throw error;
    }
  }
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

// Those whose data are at hand at the node, the one that was read last at the end. One that nobody reads on, such as a
// film that was stopped, makes room for others.
const open = new Set();
const waiting = [];
let opening = 0;

const tellRoom = () => waiting.shift()?.();

async function withRoom(work) {
  while (opening + open.size >= MOST_STREAMS) {
    const [oldest] = open;
    if (oldest?.isIdle) await oldest.rest();
    else await Promise.race([new Promise((resolve) => waiting.push(resolve)), pause(IDLE_MS)]);
  }
  opening += 1;
  try {
    return await work();
  } finally {
    opening -= 1;
    tellRoom();
  }
}

class Body {
  #url;
  #etag;
  #at;
  #end;
  #stream;
  #used = Date.now();

  // Parameters: the bytes that it has of the whole, from one to before another.
  constructor(url, etag, at, end, stream) {
    [this.#url, this.#etag, this.#at, this.#end, this.#stream] = [url, etag, at, end, stream];
    open.add(this);
  }

  get isIdle() {
    return Date.now() - this.#used > IDLE_MS;
  }

  async pull(controller) {
    try {
      const bytes = await this.#next();
      if (bytes.length) controller.enqueue(bytes);
      this.#at += bytes.length;
      if (this.#at < this.#end && bytes.length) return;
      await this.rest();
      if (this.#at < this.#end) throw new Failure(502, "The data ended too early.");
      controller.close();
    } catch (error) {
      await this.rest();
      controller.error(error);
    }
  }

  cancel() {
    return this.rest();
  }

  // Keep nothing at the node; whoever goes on reading has it opened again.
  async rest() {
    open.delete(this);
    tellRoom();
    const stream = this.#stream;
    this.#stream = null;
    if (stream) await node.call("drop", { stream }).catch(() => {});
  }

  async #next() {
    for (let tries = 1; ; tries++) {
      try {
        const opened = this.#stream ? null : await withRoom(() => this.#open());
        if (opened) return opened;
        open.delete(this);
        open.add(this);
        this.#used = Date.now();
        const chunk = await node.call("take", { stream: this.#stream });
        return chunk === null ? new Uint8Array() : bytesOf(chunk);
      } catch (error) {
        if (!error.isOfNode || tries >= TRIES) throw error;
        this.#stream = null;
      }
    }
  }

  async #open() {
    const range = `bytes=${this.#at}-${this.#end - 1}`;
    const { status, headers, data } = await ask("open_drl", { drl: this.#url, conditions: { range } });
    if (status !== 206 || headers.etag !== this.#etag) throw new Failure(502, "The record has changed meanwhile.");
    if (data.whole !== null) return bytesOf(data.whole);
    this.#stream = data.stream;
    open.add(this);
  }
}

async function opened({ url, headers: asked }) {
  if (url.length > LONGEST) throw new Failure(400, "This address is too long.");
  const conditions = {};
  for (const name of ["range", "if-range"]) if (asked.has(name)) conditions[name] = asked.get(name);
  const drl = url.split("#", 1)[0];
  return withRoom(async () => {
    const { status, headers, data } = await ask("open_drl", { drl, conditions });
    if (data.stream === null) return new Response(bytesOf(data.whole), { status, headers });
    const at = Number(/^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1] ?? 0);
    const body = new Body(drl, headers.etag, at, at + data.size, data.stream);
    return new Response(new ReadableStream(body, { highWaterMark: 0 }), { status, headers });
  });
}

export const isDrl = (url) => ADDRESS.test(url);

const HERE = new URL("dweb/", self.registration.scope).href;
export const isVisit = ({ destination, method, url }) => destination === "document" && method === "GET" && url.startsWith(HERE);

// A film or a sound, which the page that a browser makes of one would ask for where no service worker is.
function player(drl, kind) {
  const source = drl.replace(/[^\w:/.?=%-]/g, (found) => `&#${found.codePointAt(0)};`);
  const html = `<!doctype html><meta charset="utf-8"><title>web5</title><${kind} controls src="${source}"></${kind}>`;
  const policy = "default-src 'none'; media-src https://dweb; frame-ancestors 'none'";
  const headers = { ...PLAIN, ...ALONE, "content-type": "text/html; charset=utf-8", "content-security-policy": policy };
  return new Response(html, { headers });
}

// The response to who goes to a record.
export async function visited({ url }) {
  try {
    const drl = `https://dweb/${url.slice(HERE.length)}`.split("#", 1)[0];
    const response = await opened({ url: drl, headers: new Headers() });
    for (const [name, value] of Object.entries(ALONE)) response.headers.set(name, value);
    const kind = /^(audio|video)\//.exec(response.headers.get("content-type"))?.[1];
    if (!kind) return response;
    await response.body?.cancel();
    return player(drl, kind);
  } catch (error) {
    return refusal(error);
  }
}

// The response to a request of a page for a DRL.
export async function shown(request) {
  try {
    if (request.method !== "GET") throw new Failure(405, "A record is read by GET.");
    if (!SHOWN.has(request.destination)) throw new Failure(403, "A record is shown, and never run.");
    return await opened(request);
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error) {
  return new Response(error.message, { status: error instanceof Failure ? error.status : 502, headers: PLAIN });
}
