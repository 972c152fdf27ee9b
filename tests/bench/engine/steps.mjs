// The steps of the engine bench on the reference engine, in Node and in a page; `steps.py` has the same for ours.
const SCHEMA = 'http://bench.example/note';
const BASE = Date.UTC(2024, 0, 1);
const FILLED_AT_ONCE = 500;
const VERSION_AND_CODEC = 'bafyreibench'; // of CIDs that nobody checks

const timestamp = (ms) => `${new Date(ms).toISOString().slice(0, -1)}000Z`;
const base64url = (text) => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

// did:jwk resolved in a few lines, so that no resolver's cost counts against the reference.
const resolver = {
  async resolve(did) {
    const publicKeyJwk = JSON.parse(atob(did.slice('did:jwk:'.length).replaceAll('-', '+').replaceAll('_', '/')));
    const method = { id: `${did}#0`, type: 'JsonWebKey', controller: did, publicKeyJwk };
    return { didDocument: { id: did, verificationMethod: [method] }, didResolutionMetadata: {}, didDocumentMetadata: {} };
  },
};

// What the classes write to an IndexedDB is gathered until the function that this returns is called, which writes it in
// one transaction: keys and values are theirs, only the commits are fewer, and no put waits for the one before. That
// halves the time; LevelDB itself is as fast without.
function gathered(database) {
  const operations = [];
  database._batch = (more, options, done) => {
    operations.push(...more);
    queueMicrotask(done);
  };
  database._put = (key, value, options, done) => database._batch([{ type: 'put', key, value }], options, done);
  return () => new Promise((resolve, reject) => {
    delete database._batch;
    delete database._put;
    const transaction = database.db.transaction([database.location], 'readwrite');
    const store = transaction.objectStore(database.location);
    operations.forEach(({ key, value }) => store.put(value, key));
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

export function engineSteps(sdk, location) {
  const { DataStream, Dwn, Message, RecordsQuery, RecordsRead, RecordsSubscribe, RecordsWrite } = sdk;
  let dwn, stores, did, signer, made;

  const timed = async (messages, each) => {
    const start = performance.now();
    for (const message of messages) {
      const reply = await each(message);
      if (reply.status.code >= 300) throw new Error(reply.status.detail);
    }
    return { per_second: messages.length / ((performance.now() - start) / 1000) };
  };
  const send = (message, data) => dwn.processMessage(did, message, data && { dataStream: DataStream.fromBytes(data) });
  const text = new TextEncoder().encode('Lorem ipsum dolor sit amet. '.repeat(4).slice(0, 100));
  // The reference's clock may give a microsecond twice; this one, like ours, does not.
  let microseconds = Date.now() * 1000;
  const now = () => {
    microseconds += 1;
    return `${new Date(microseconds / 1000).toISOString().slice(0, -1)}${String(microseconds % 1000).padStart(3, '0')}Z`;
  };
  const write = async () => {
    const messageTimestamp = now();
    return (await RecordsWrite.create({ signer, data: text, dataFormat: 'text/plain', schema: SCHEMA, dateCreated: messageTimestamp, messageTimestamp })).message;
  };

  return {
    async open({ store }) {
      const { publicKey, privateKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
      const [publicJwk, privateJwk] = await Promise.all([publicKey, privateKey].map((key) => crypto.subtle.exportKey('jwk', key)));
      const { kty, crv, x } = publicJwk;
      did = `did:jwk:${base64url(JSON.stringify({ kty, crv, x, alg: 'EdDSA' }))}`;
      signer = new sdk.PrivateKeySigner({ privateJwk: { kty, crv, x, d: privateJwk.d, alg: 'EdDSA' }, keyId: `${did}#0`, algorithm: 'EdDSA' });
      const at = (part) => location(`${store}-${part}`);
      stores = {
        messageStore       : new sdk.MessageStoreLevel({ blockstoreLocation: at('messages'), indexLocation: at('index') }),
        dataStore          : new sdk.DataStoreLevel({ blockstoreLocation: at('data') }),
        eventLog           : new sdk.EventLogLevel({ location: at('events') }),
        resumableTaskStore : new sdk.ResumableTaskStoreLevel({ location: at('tasks') }),
        eventStream        : new sdk.EventEmitterStream(),
      };
      dwn = await Dwn.create({ didResolver: resolver, ...stores });
    },
    // Records as its handler stores them, but for the signatures, which are all those of one.
    async fill({ count, start }) {
      const template = await write();
      const one = async (i) => {
        const time = timestamp(BASE + i * 1000);
        const message = { ...template, recordId: `${VERSION_AND_CODEC}${String(i).padStart(47, 'a')}`, descriptor: { ...template.descriptor, dateCreated: time, messageTimestamp: time } };
        const { tags, published, ...descriptor } = message.descriptor;
        const indexes = { ...descriptor, isLatestBaseState: true, published: false, author: did, recordId: message.recordId, entryId: message.recordId };
        await stores.messageStore.put(did, { ...message, encodedData: base64url(String.fromCharCode(...text)) }, indexes);
        await stores.eventLog.append(did, await Message.getCid(message), indexes);
      };
      const databases = [stores.messageStore.blockstore, stores.messageStore.index, stores.eventLog.index]
        .map((part) => part.db.db).filter(({ type }) => type === 'browser-level');
      let committed;
      for (let i = start; i < count; i += FILLED_AT_ONCE) {
        const commits = databases.map(gathered);
        await Promise.all(Array.from({ length: Math.min(FILLED_AT_ONCE, count - i) }, (_, k) => one(i + k)));
        await committed;
        committed = Promise.all(commits.map((commit) => commit()));
      }
      await committed;
    },
    async write({ count }) {
      made = [];
      for (let i = 0; i < count; i += 1) made.push(await write());
      return timed(made, (message) => send(message, text));
    },
    async write_at_once({ count, at_once: atOnce }) {
      const messages = [];
      for (let i = 0; i < count; i += 1) messages.push(await write());
      const start = performance.now();
      for (let i = 0; i < count; i += atOnce) {
        const replies = await Promise.all(messages.slice(i, i + atOnce).map((message) => send(message, text)));
        for (const reply of replies) if (reply.status.code !== 202) throw new Error(reply.status.detail);
      }
      return { per_second: count / ((performance.now() - start) / 1000) };
    },
    async read({ count }) {
      const messages = [];
      for (let i = 0; i < count; i += 1) {
        messages.push((await RecordsRead.create({ signer, messageTimestamp: now(), filter: { recordId: made[i % made.length].recordId } })).message);
      }
      return timed(messages, async (message) => {
        const reply = await send(message);
        await DataStream.toBytes(reply.entry.data);
        return reply;
      });
    },
    async query({ count }) {
      const messages = [];
      for (let i = 0; i < count; i += 1) {
        messages.push((await RecordsQuery.create({ signer, messageTimestamp: now(), filter: { schema: SCHEMA }, dateSort: 'createdDescending', pagination: { limit: 20 } })).message);
      }
      return timed(messages, async (message) => {
        const reply = await send(message);
        if (reply.entries.length !== 20) throw new Error(`${reply.entries.length} entries`);
        return reply;
      });
    },
    // Events told in a second, with so many subscribers to what is written and as many to something else.
    async fan_out({ count, subscribers }) {
      let told = 0;
      const subscriptions = [];
      for (let i = 0; i < 2 * subscribers; i += 1) {
        const filter = { schema: i % 2 ? SCHEMA : `${SCHEMA}/${i}` };
        const { message } = await RecordsSubscribe.create({ signer, messageTimestamp: now(), filter });
        const reply = await dwn.processMessage(did, message, { subscriptionHandler: () => { told += 1; } });
        subscriptions.push(reply.subscription);
      }
      const messages = [];
      for (let i = 0; i < count; i += 1) messages.push(await write());
      const { per_second } = await timed(messages, (message) => send(message, text));
      if (told !== count * subscribers) throw new Error(`${told} events`);
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      return { per_second: per_second * subscribers };
    },
  };
}
