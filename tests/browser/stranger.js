// What another page of the origin can do with the tabs of a node: it hears everything, claims to lead, and calls whatever
// it likes, in plain words and sealed for the real leader as a tab seals.
window.heard = [];
window.channels = ["web5.tabs", "web5-events"].map((name) => new BroadcastChannel(name));
for (const channel of channels) channel.onmessage = ({ data }) => heard.push(data);
const [tabs] = channels;
const post = (message) => tabs.postMessage(JSON.stringify(message));

const encode = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const utf8 = new TextEncoder();

const prefix = "web5.leader.";
window.leader = async () => {
  const { held } = await navigator.locks.query();
  return held.find(({ name }) => name.startsWith(prefix)).name.slice(prefix.length).split(".")[0];
};

// Claim to lead, in all the ways there are short of having the lock.
window.claim = async () => {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
  const me = encode(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  navigator.locks.request(`${prefix}${me}.0.1`, { mode: "shared" }, () => new Promise(() => {}));
  for (const from of [me, "evil"]) post({ kind: "leading", from });
};

// What a tab answers to a call of this page: its result or its error.
window.call = async (name, args) => {
  const to = await leader();
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
  const from = encode(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  const theirs = await crypto.subtle.importKey("raw", decode(to), { name: "X25519" }, false, []);
  const agreed = await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, pair.privateKey, 256);
  const secret = await crypto.subtle.importKey("raw", agreed, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info: utf8.encode("web5 tabs") };
  const key = await crypto.subtle.deriveKey(derivation, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const cipher = (kind, from, to, iv) => ({ name: "AES-GCM", iv, additionalData: utf8.encode(`${kind} ${from} ${to}`) });
  const inner = utf8.encode(JSON.stringify({ id: "1", name, args: JSON.stringify(args) }));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(cipher("call", from, to, iv), key, inner));
  const answered = new Promise((resolve) => {
    tabs.addEventListener("message", async function listen({ data }) {
      const reply = JSON.parse(data);
      if (reply.kind !== "reply" || reply.to !== from) return;
      tabs.removeEventListener("message", listen);
      const bytes = decode(reply.sealed);
      const opened = await crypto.subtle.decrypt(cipher("reply", to, from, bytes.slice(0, 12)), key, bytes.slice(12));
      resolve(JSON.parse(new TextDecoder().decode(opened)));
    });
  });
  post({ kind: "call", id: "1", name, args: JSON.stringify(args), from, to }); // as it was before anything was sealed
  post({ kind: "call", from, to, sealed: encode(new Uint8Array([...iv, ...sealed])) });
  return answered;
};
void 0;
