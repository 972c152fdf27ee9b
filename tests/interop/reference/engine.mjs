// The reference engine on LevelDB in the folder REFERENCE_FOLDER, and its CID, URL and timestamp functions.
import { join } from 'node:path';

import { Cid, DataStoreLevel, DataStream, Dwn, EventLogLevel, Message, MessageStoreLevel, ResumableTaskStoreLevel, Time } from '@tbd54566975/dwn-sdk-js';
import { DidJwk, DidKey, UniversalResolver } from '@web5/dids';

import { serveLines } from './serve-lines.mjs';

const urls = await import(new URL('../node_modules/@tbd54566975/dwn-sdk-js/dist/esm/src/utils/url.js', import.meta.url));

const folder = process.env.REFERENCE_FOLDER;

const dwn = await Dwn.create({
  didResolver        : new UniversalResolver({ didResolvers: [DidJwk, DidKey] }),
  messageStore       : new MessageStoreLevel({ blockstoreLocation: join(folder, 'messages'), indexLocation: join(folder, 'index') }),
  dataStore          : new DataStoreLevel({ blockstoreLocation: join(folder, 'data') }),
  eventLog           : new EventLogLevel({ location: join(folder, 'events') }),
  resumableTaskStore : new ResumableTaskStoreLevel({ location: join(folder, 'tasks') }),
});

const attempt = (action) => {
  try {
    return { value: action() };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};

serveLines({
  // The reply, with data that streams back as base64.
  async process({ tenant, message, data }) {
    const dataStream = data === undefined ? undefined : DataStream.fromBytes(Buffer.from(data, 'base64'));
    const reply = await dwn.processMessage(tenant, message, { dataStream });
    if (reply.entry?.data !== undefined) {
      reply.entry.data = Buffer.from(await DataStream.toBytes(reply.entry.data)).toString('base64');
    }
    return reply;
  },
  messageCids : ({ messages }) => Promise.all(messages.map((message) => Message.getCid(message))),
  cids        : ({ values }) => Promise.all(values.map((value) => Cid.computeCid(value))),
  // Data of these sizes, made of the bytes `i & 255`.
  dataCids    : ({ sizes }) => Promise.all(sizes.map((size) =>
    Cid.computeDagPbCidFromBytes(Uint8Array.from({ length: size }, (_, i) => i & 255)))),
  normalized  : ({ texts }) => texts.map((text) => attempt(() => urls.normalizeProtocolUrl(text))),
  moments     : ({ texts }) => texts.map((text) => attempt(() => Time.validateTimestamp(text)).error === undefined),
});
