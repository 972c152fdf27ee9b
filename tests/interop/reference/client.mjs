// The reference client: identities of @web5/dids, messages of dwn-sdk-js, sent by @web5/agent's own HTTP client.
import { createHash } from 'node:crypto';

import { PrivateKeySigner, RecordsDelete, RecordsQuery, RecordsRead, RecordsWrite } from '@tbd54566975/dwn-sdk-js';
import { HttpWeb5RpcClient } from '@web5/agent';
import { DidDht } from '@web5/dids';

import { serveLines } from './serve-lines.mjs';

const identities = new Map();
const client = new HttpWeb5RpcClient();

const withSlash = (url) => (url.endsWith('/') ? url : `${url}/`);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
// What the Python side gives as a size, both sides make the same bytes of.
const bytesOf = ({ text, size }) => text === undefined ? Uint8Array.from({ length: size }, (_, i) => i & 255) : new TextEncoder().encode(text);

async function send(endpoint, did, message, data) {
  return client.sendDwnRequest({ dwnUrl: endpoint, targetDid: did, message, data: data && new Blob([data]) });
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

  async query({ endpoint, did, filter }) {
    const { message } = await RecordsQuery.create({ filter, signer: signer(did) });
    return send(endpoint, did, message);
  },

  async delete({ endpoint, did, recordId }) {
    const { message } = await RecordsDelete.create({ recordId, signer: signer(did) });
    return send(endpoint, did, message);
  },

  async send({ endpoint, did, message }) {
    return send(endpoint, did, message);
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
