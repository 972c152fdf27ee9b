// The place of this page among the tabs that use one node: it calls the tab that leads, by the rules of
// web5/browser/tabs/tabs.py, without a Python of its own; and it starts one where that is needed:
//
// 1. One tab waits with a started Python, so that it leads soon when the leader goes: it holds the lock `<name>.successor`
//    until it leads. It starts once its page has shown something, or nobody leads.
// 2. A call that is not shared never leaves this tab, which leads first; so does one where an older version leads.
// 3. A Python that neither leads, nor is the successor's, nor has a call to carry out, is ended.
// 4. All calls may be carried out twice. One that the leader has not answered goes to the next.
import { findLeader, TabChannel } from "./tab_channel.mjs";

const QUIET_MS = 5000;
const QUIET_TURNS = 2;
// A page that is frozen takes its worker along, at once, so that no other tab could be the node. The worker runs on only
// while the handler does: time enough to close its store. Nobody sees a page that is about to be frozen.
const HANDOVER_MS = 500;

const OTHER_HERE = "A tab with a newer version of this page has your data. Reload this one.";
const OTHER_THERE = "Its site has another version of this page by now. Reload this one.";

export const refusal = (kind, message) => JSON.stringify({ error: { kind, message, code: "", detail: "" } });

export class Place {
  #name;
  #version;
  #shared;
  #channel = null;
  #calls = new Map();
  #last = 0;
  #leader = null; // the one that serves, as it was seen last
  #worker = null;
  #leads = ""; // the name of our worker, while it is the node
  #alone = false; // this browser does not let tabs talk to one another
  #broken = null; // what ends a call that would need our worker, since that did not start
  #refused = "";
  #successor = false;
  #leave = new AbortController(); // ends being the successor, and waiting for it
  #newer = withResolvers();
  #shown = withResolvers();
  #silent = 0;
  #quiet;

  // Parameters: the node's name; the version of this page; the names of the calls that are shared; and what is called
  // with true when our worker does not answer, with false when it does again.
  constructor(name, version, shared, quiet) {
    [this.#name, this.#version, this.#shared, this.#quiet] = [name, version, shared, quiet];
    setInterval(() => this.#ping(), QUIET_MS);
    try {
      this.#channel = new TabChannel(name, {
        leading: () => this.#look(),
        expects: (tab) => this.#leader?.key === tab,
        replied: (tab, reply) => this.#replied(tab, reply),
      });
      this.#seek();
    } catch {
      this.#beAlone();
    }
  }

  // Call a method of web/app/service.py with its arguments as JSON; a promise of the answer, as JSON. A Blob goes along
  // to this tab's own worker alone: such a call is not shared.
  call(name, args, blob) {
    return new Promise((resolve, reject) => {
      if (this.#refused) return resolve(this.#refused);
      const call = { id: (this.#last += 1), name, args, blob, resolve, reject, to: "" };
      this.#calls.set(call.id, call);
      this.#dispatch(call);
    });
  }

  // Resolves once a tab of a newer version leads.
  superseded() {
    return this.#newer.promise;
  }

  // The page has shown what it has: there is time for what may be needed later.
  shown() {
    this.#shown.resolve();
  }

  // There is no node here, for this reason; every call says so.
  refuse(answer) {
    this.#refused = answer;
    for (const call of this.#calls.values()) call.resolve(answer);
    this.#calls.clear();
  }

  freeze() {
    this.#leave.abort();
    if (!this.#worker) return;
    if (!this.#leads) return this.#end();
    this.#worker.postMessage({ life: "freeze" });
    for (const end = performance.now() + HANDOVER_MS; performance.now() < end; );
  }

  resume() {
    this.#worker?.postMessage({ life: "resume" });
    this.#seek();
    for (const call of this.#calls.values()) if (!call.to) this.#dispatch(call);
  }

  // -- who leads

  async #look() {
    try {
      const leader = await findLeader(this.#name);
      if (leader) this.#follow(leader);
    } catch {
      this.#beAlone();
    }
  }

  // Resolves once the leader has gone, before it is known who is the next.
  async #vacancy(signal) {
    try {
      await navigator.locks.request(`${this.#name}.leader`, { signal }, () => (this.#leader = null));
    } catch {} // it no longer matters
  }

  #follow(leader) {
    if (this.#broken && !this.#leader) this.#failWhereNobodyLeads();
    this.#leader = leader;
    if (this.#leads && leader.key !== this.#leads) this.#ledNoMore(); // our worker is dead, or about to tell
    if (leader.version > this.#version) this.#newer.resolve();
    for (const call of this.#calls.values())
      if (!call.to || (call.to !== "worker" && call.to !== leader.id)) this.#dispatch(call);
    this.#tidy();
  }

  #dispatch(call) {
    const shared = this.#shared.has(call.name);
    if (this.#alone || this.#leads) return this.#toWorker(call);
    if (shared && (!this.#leader || this.#leader.version >= this.#version)) {
      if (this.#leader) this.#toLeader(call, this.#leader);
      else if (this.#broken) this.#fail(call);
    } else if (this.#leader?.version > this.#version) {
      this.#settle(call, refusal("StorageNewer", OTHER_HERE));
    } else {
      this.#toWorker(call); // which leads first
    }
  }

  async #toLeader(call, { id, key }) {
    call.to = id;
    try {
      await this.#channel.post("call", key, { id: String(call.id), name: call.name, args: call.args });
    } catch (error) {
      this.#settle(call, refusal(error instanceof RangeError ? "InvalidArgument" : "StorageBlocked", error.message));
    }
  }

  #replied(tab, { id, result, error }) {
    const call = this.#calls.get(Number(id));
    if (!call || call.to !== this.#leader?.id || tab !== this.#leader.key) return;
    if (typeof result === "string") return this.#settle(call, result);
    this.#settle(call, refusal(String(error?.type ?? "Web5Error"), String(error?.message ?? "")));
  }

  #settle(call, answer) {
    if (this.#calls.delete(call.id)) call.resolve(answer);
  }

  #fail(call) {
    if (this.#calls.delete(call.id)) this.#broken(call);
  }

  // -- the worker

  #toWorker(call) {
    if (this.#broken) return this.#fail(call);
    call.to = "worker";
    this.#start();
    this.#worker.postMessage({ id: call.id, name: call.name, args: call.args, blob: call.blob });
  }

  #start() {
    if (this.#worker || this.#broken) return;
    // Its name says which version it is to be: the site may have another one since this page was opened.
    this.#worker = new Worker("boot/agent.mjs", { type: "module", name: `agent ${this.#version}` });
    this.#worker.onmessage = ({ data }) => this.#heard(data);
    this.#worker.onerror = ({ message }) => this.#didNotStart(message || "the worker's program could not be loaded");
  }

  #heard({ id, answer, error, leads, failed, other }) {
    if (this.#silent > QUIET_TURNS) this.#quiet(false);
    this.#silent = 0;
    if (failed) return this.#didNotStart(failed);
    if (other) return this.#breakOff((call) => call.resolve(refusal("StorageNewer", OTHER_THERE)));
    if (leads) return this.#led(leads);
    if (leads === "") return this.#ledNoMore(true);
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    if (error === undefined) call.resolve(answer);
    else call.reject(new Error(error));
    this.#tidy();
  }

  #led(me) {
    this.#leads = me;
    this.#leave.abort(); // the next one can get ready
    for (const call of this.#calls.values()) if (call.to !== "worker") this.#dispatch(call);
  }

  // What our worker has not answered goes to the next leader: by our worker, if it lives, else from here.
  #ledNoMore(lives = false) {
    this.#leads = "";
    if (lives) this.#seek();
    else for (const call of this.#calls.values()) if (call.to === "worker") call.to = "";
  }

  #didNotStart(reason) {
    this.#breakOff((call) => call.reject(new Error(reason)));
  }

  #breakOff(broken) {
    this.#broken = broken;
    this.#leads = "";
    this.#leave.abort();
    this.#worker?.terminate();
    for (const call of this.#calls.values()) if (call.to === "worker") this.#fail(call);
    this.#failWhereNobodyLeads();
  }

  async #failWhereNobodyLeads() {
    await this.#vacancy();
    for (const call of this.#calls.values()) this.#fail(call);
  }

  #end() {
    this.#worker.terminate();
    this.#worker = null;
    for (const call of this.#calls.values()) if (call.to === "worker") call.to = "";
  }

  #tidy() {
    const { version } = this.#leader ?? {};
    const busy = [...this.#calls.values()].some((call) => call.to === "worker");
    if (this.#worker && !(this.#leads || this.#successor || busy || this.#alone) && version >= this.#version) this.#end();
  }

  // A worker that is dead says nothing. One that is asked and says nothing for so long is told of; it may only be busy.
  #ping() {
    const waits = this.#leads || [...this.#calls.values()].some((call) => call.to === "worker");
    if (document.hidden || this.#broken || this.#refused || !this.#worker || !waits) return;
    this.#worker.postMessage({ life: "ping" });
    this.#silent += 1;
    if (this.#silent === QUIET_TURNS + 1) this.#quiet(true);
  }

  // -- being the successor

  #beAlone() {
    if (this.#alone) return;
    this.#alone = true;
    this.#start();
    for (const call of this.#calls.values()) if (call.to !== "worker") this.#dispatch(call);
  }

  // Become the successor now if nobody is, and else in our turn.
  async #seek() {
    this.#leave.abort();
    if (this.#alone || this.#broken || this.#leads) return;
    const { signal } = (this.#leave = new AbortController());
    const lock = `${this.#name}.successor`;
    const looked = this.#look(); // on its way at the same time: nothing is waited for twice before a first tab starts
    try {
      const succeed = async (granted) => {
        if (!granted) return false;
        await looked;
        await this.#succeed(signal);
        return true;
      };
      if (await navigator.locks.request(lock, { ifAvailable: true }, succeed)) return;
      this.#tidy();
      if (signal.aborted) return;
      await navigator.locks.request(lock, { signal }, async () => {
        await this.#look();
        await this.#succeed(signal);
      });
    } catch {
      if (!signal.aborted) this.#beAlone();
    }
  }

  async #succeed(signal) {
    if (signal.aborted) return;
    const over = new Promise((resolve) => signal.addEventListener("abort", resolve));
    this.#successor = true;
    if (this.#leader?.version >= this.#version) {
      await Promise.race([this.#shown.promise, this.#vacancy(signal), over]);
    }
    if (!signal.aborted) this.#start();
    await over;
    this.#successor = false;
  }
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
