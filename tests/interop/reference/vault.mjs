// `HdIdentityVault` and `CompactJwe` of @web5/agent behind JSON lines, for tests/interop/agent. Bytes are base64url.
// GATEWAY_URL stands in for the DID DHT gateway that `@web5/dids` is built with.
import { serveLines } from './serve-lines.mjs';

const BUILT_IN_GATEWAY = 'https://diddht.tbddev.org';
const reallyFetch = globalThis.fetch;
globalThis.fetch = (url, options) => reallyFetch(String(url).replace(BUILT_IN_GATEWAY, process.env.GATEWAY_URL), options);
console.log = console.warn = console.error = () => {};

const { HdIdentityVault, LocalKeyManager } = await import('@web5/agent');
// The package does not export it.
const { CompactJwe } = await import('../node_modules/@web5/agent/dist/esm/prototyping/crypto/jose/jwe-compact.js');
const { MemoryStore } = await import('@web5/common');

const keyManager = new LocalKeyManager();
const toText = (bytes) => Buffer.from(bytes).toString('base64url');
const toBytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'));

serveLines({
  async initialize({ password, recoveryPhrase, dwnEndpoints }) {
    const store = new MemoryStore();
    const vault = new HdIdentityVault({ store });
    const phrase = await vault.initialize({ password, recoveryPhrase, dwnEndpoints });
    const did = await vault.getDid();
    return {
      recoveryPhrase: phrase,
      portableDid: await did.export(),
      contentEncryptionKey: await store.get('contentEncryptionKey'),
      did: await store.get('did'),
    };
  },

  async open({ password, contentEncryptionKey, did }) {
    const store = new MemoryStore();
    await store.set('vaultStatus', JSON.stringify({ initialized: true, lastBackup: null, lastRestore: null }));
    await store.set('contentEncryptionKey', contentEncryptionKey);
    await store.set('did', did);
    const vault = new HdIdentityVault({ store });
    await vault.unlock({ password });
    return (await vault.getDid()).export();
  },

  encrypt({ plaintext, key, header }) {
    return CompactJwe.encrypt({ plaintext: toBytes(plaintext), key: asKey(key), protectedHeader: header, keyManager });
  },

  async decrypt({ jwe, key }) {
    const { plaintext, protectedHeader } = await CompactJwe.decrypt({ jwe, key: asKey(key), keyManager });
    return { plaintext: toText(plaintext), header: protectedHeader };
  },
});

// A JWK for `dir`, a password's bytes for PBES2.
function asKey(key) {
  return typeof key === 'string' ? toBytes(key) : key;
}
