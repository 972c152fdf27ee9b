// A page's end of the channel between tabs: web5/browser/tabs/tab_channel.py and tab_keys.py, for a page without a Python.
// Every page of the origin hears the channel and can post to it, so what comes is bounded and checked.
const MAX_MESSAGE = 64 * 1024 * 1024; // characters
const NAME = "[A-Za-z0-9_-]{43}";
const LEADER = new RegExp(`^(${NAME})\\.([0-9]{1,15})\\.[0-9]{1,15}$`);
const NONCE = 12; // bytes, NIST SP 800-38D section 8.2
const X25519 = { name: "X25519" };
const TRIES = 8; // WebKitGTK makes no key in one of 256, where it would begin with a zero

export const TOO_LONG = "This is too long to go from tab to tab. Close the other tabs, and try again.";

const bytes = (text) => new TextEncoder().encode(text);

function encode(data) {
  let text = "";
  for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

export async function makePair(tries = TRIES) {
  try {
    return await crypto.subtle.generateKey(X25519, false, ["deriveBits"]);
  } catch (error) {
    if (tries <= 1) throw error;
    return makePair(tries - 1);
  }
}

// The tab that serves, as the browser shows it (web5/browser/tabs/tabs.py, invariant 5), or null.
export async function findLeader(name) {
  const { held } = await navigator.locks.query();
  const owner = held.find((lock) => lock.name === `${name}.leader`)?.clientId;
  const prefix = `${name}.leader.`;
  const shown = held.find((lock) => lock.clientId === owner && lock.name.startsWith(prefix));
  const [id, key, version] = LEADER.exec(shown?.name.slice(prefix.length) ?? "") ?? [];
  return id ? { id, key, version: Number(version) } : null;
}

export class TabChannel {
  #name;
  #pair;
  #me;
  #peer = "";
  #agreed;
  #channel;

  // `leading` is called when a tab says that it leads; `replied`, with who sent it and what was sealed for this page, if
  // `expects` says that this tab has been asked something.
  constructor(name, { leading, expects, replied }) {
    this.#name = name;
    this.#me = this.#open();
    this.#me.catch(() => {}); // who posts hears of it
    this.#channel = new BroadcastChannel(`${name}.tabs`);
    this.#channel.onmessage = async ({ data }) => {
      if (typeof data !== "string" || data.length > MAX_MESSAGE) return;
      try {
        const { kind, from, to, sealed } = JSON.parse(data);
        if (kind === "leading") return leading();
        if (kind !== "reply" || to !== (await this.#me) || !expects(from) || typeof sealed !== "string") return;
        replied(from, JSON.parse(await this.#unseal(kind, from, sealed)));
      } catch {} // no message of ours, or not sealed by that tab for this page
    };
  }

  // Seal a message for a tab and post it; throws a RangeError if it is too long.
  async post(kind, to, content) {
    const from = await this.#me;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
    const key = await this.#agree(to);
    const data = await crypto.subtle.encrypt(this.#gcm(nonce, kind, from, to), key, bytes(JSON.stringify(content)));
    const whole = new Uint8Array(NONCE + data.byteLength);
    whole.set(nonce);
    whole.set(new Uint8Array(data), NONCE);
    const sealed = encode(whole);
    if (sealed.length + 1000 > MAX_MESSAGE) throw new RangeError(TOO_LONG);
    this.#channel.postMessage(JSON.stringify({ kind, from, to, sealed }));
  }

  async #unseal(kind, from, sealed) {
    const data = decode(sealed);
    const algorithm = this.#gcm(data.subarray(0, NONCE), kind, from, await this.#me);
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, await this.#agree(from), data.subarray(NONCE)));
  }

  #gcm = (iv, kind, from, to) => ({ name: "AES-GCM", iv, additionalData: bytes(`${kind} ${from} ${to}`) });

  // A key pair, whose public key is this page's name; the lock says for how long it is here (invariant 7).
  async #open() {
    this.#pair = await makePair();
    const me = encode(new Uint8Array(await crypto.subtle.exportKey("raw", this.#pair.publicKey)));
    await new Promise((held, failed) => {
      navigator.locks.request(`${this.#name}.tab.${me}`, () => new Promise(() => held())).catch(failed);
    });
    return me;
  }

  // Only who leads is talked to, so one key is kept.
  async #agree(peer) {
    if (this.#peer !== peer) [this.#peer, this.#agreed] = [peer, this.#derive(peer)];
    return this.#agreed;
  }

  async #derive(peer) {
    const theirs = await crypto.subtle.importKey("raw", decode(peer), X25519, false, []);
    const shared = await crypto.subtle.deriveBits({ ...X25519, public: theirs }, this.#pair.privateKey, 256);
    const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
    const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytes("web5 tabs") };
    return crypto.subtle.deriveKey(hkdf, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }
}
