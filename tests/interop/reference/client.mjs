// The reference client: identities of @web5/dids, messages of dwn-sdk-js, sent by @web5/agent's own HTTP and WebSocket
// clients.
import { createHash } from 'node:crypto';

import {
  MessagesSubscribe, PrivateKeySigner, RecordsDelete, RecordsQuery, RecordsRead, RecordsSubscribe, RecordsWrite,
} from '@tbd54566975/dwn-sdk-js';
import { DwnRegistrar, HttpWeb5RpcClient, WebSocketWeb5RpcClient } from '@web5/agent';
import { DidDht } from '@web5/dids';

import { serveLines } from './serve-lines.mjs';

const identities = new Map();
const client = new HttpWeb5RpcClient();
const socketClient = new WebSocketWeb5RpcClient();
const subscriptions = [];

const withSlash = (url) => (url.endsWith('/') ? url : `${url}/`);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
// What the Python side gives as a size, both sides make the same bytes of.
const bytesOf = ({ text, size }) => text === undefined ? Uint8Array.from({ length: size }, (_, i) => i & 255) : new TextEncoder().encode(text);

async function send(endpoint, did, message, data) {
  return client.sendDwnRequest({ dwnUrl: endpoint, targetDid: did, message, data: data && new Blob([data]) });
}

// The socket client keeps one socket a host, whatever the path.
async function sendOverSocket(endpoint, did, message, subscriptionHandler) {
  return socketClient.sendDwnRequest({ dwnUrl: endpoint.replace(/^http/, 'ws'), targetDid: did, message, subscriptionHandler });
}

function signer(did) {
  const { key, keyId } = identities.get(did);
  return new PrivateKeySigner({ privateJwk: key, keyId, algorithm: 'EdDSA' });
}

serveLines({
  async newDid({ gateway, publish = true }) {
    const did = await DidDht.create({ options: { publish, gatewayUri: withSlash(gateway) } });
    const { privateKeys } = await did.export();
    identities.set(did.uri, { did, key: privateKeys[0], keyId: `${did.uri}#0` });
    return did.uri;
  },

  async publish({ did, gateway }) {
    const result = await DidDht.publish({ did: identities.get(did).did, gatewayUri: withSlash(gateway) });
    return result.didDocumentMetadata.published ?? false;
  },

  async resolve({ did, gateway }) {
    return DidDht.resolve(did, { gatewayUri: withSlash(gateway) });
  },

  async write({ endpoint, did, text, size, schema, published, recordId }) {
    const data = bytesOf({ text, size });
    const options = { data, dataFormat: 'text/plain', schema, published, signer: signer(did) };
    let write;
    if (recordId) {
      const { entries } = await send(endpoint, did, (await RecordsQuery.create({ filter: { recordId }, signer: signer(did) })).message);
      write = await RecordsWrite.createFrom({ recordsWriteMessage: entries[0], data, signer: signer(did) });
    } else {
      write = await RecordsWrite.create(options);
    }
    const { status } = await send(endpoint, did, write.message, data);
    return { status, recordId: write.message.recordId };
  },

  async read({ endpoint, did, recordId }) {
    const { message } = await RecordsRead.create({ filter: { recordId }, signer: signer(did) });
    const { status, entry } = await send(endpoint, did, message);
    if (!entry?.data) return { status };
    const bytes = new Uint8Array(await new Response(entry.data).arrayBuffer());
    return { status, size: bytes.length, sha256: sha256(bytes), recordId: entry.recordsWrite.recordId };
  },

  async query({ endpoint, did, filter, pagination }) {
    const { message } = await RecordsQuery.create({ filter, pagination, signer: signer(did) });
    return send(endpoint, did, message);
  },

  async delete({ endpoint, did, recordId }) {
    const { message } = await RecordsDelete.create({ recordId, signer: signer(did) });
    return send(endpoint, did, message);
  },

  async send({ endpoint, did, message }) {
    return send(endpoint, did, message);
  },

  async queryOverSocket({ endpoint, did, filter }) {
    const { message } = await RecordsQuery.create({ filter, signer: signer(did) });
    return sendOverSocket(endpoint, did, message);
  },

  async deleteOverSocket({ endpoint, did, recordId }) {
    const { message } = await RecordsDelete.create({ recordId, signer: signer(did) });
    return sendOverSocket(endpoint, did, message);
  },

  async writeOverSocket({ endpoint, did, text }) {
    const { message } = await RecordsWrite.create({ data: bytesOf({ text }), dataFormat: 'text/plain', signer: signer(did) });
    return sendOverSocket(endpoint, did, message);
  },

  // `filter` subscribes to records, its absence to all messages.
  async subscribe({ endpoint, did, filter, signedBy = did }) {
    const subscribe = filter
      ? await RecordsSubscribe.create({ filter, signer: signer(signedBy) })
      : await MessagesSubscribe.create({ filters: [], signer: signer(signedBy) });
    const subscription = { events: [], heard() {}, close() {} };
    const { status, subscription: opened } = await sendOverSocket(endpoint, did, subscribe.message, (event) => {
      subscription.events.push(event);
      subscription.heard();
    });
    subscription.close = opened?.close;
    return { status, subscription: subscriptions.push(subscription) - 1 };
  },

  // Its events so far, once there are `count` of them.
  async events({ subscription, count }) {
    const made = subscriptions[subscription];
    while (made.events.length < count) await new Promise((resolve) => { made.heard = resolve; });
    return made.events;
  },

  async unsubscribe({ subscription }) {
    await subscriptions[subscription].close();
  },

  async register({ endpoint, did }) {
    await DwnRegistrar.registerTenant(endpoint, did);
  },

  async info({ endpoint }) {
    return client.getServerInfo(endpoint);
  },

  // `count` writes of `size` bytes, `parallel` at a time; made before the clock starts.
  async writesPerSecond({ endpoint, did, count, parallel, size }) {
    const writes = [];
    for (let i = 0; i < count; i++) {
      const data = bytesOf({ text: `${i}`.padEnd(size, '.') });
      writes.push({ data, write: await RecordsWrite.create({ data, dataFormat: 'text/plain', signer: signer(did) }) });
    }
    const codes = {};
    const started = performance.now();
    let next = 0;
    await Promise.all(Array.from({ length: parallel }, async () => {
      while (next < count) {
        const { data, write } = writes[next++];
        const { status } = await send(endpoint, did, write.message, data);
        codes[status.code] = (codes[status.code] ?? 0) + 1;
      }
    }));
    return { perSecond: (1000 * count) / (performance.now() - started), codes };
  },
});
