// The reference engine on LevelDB in the folder REFERENCE_FOLDER, its classes that make messages, and its CID, URL and
// timestamp functions.
import { join } from 'node:path';

import {
  Cid, DataStoreLevel, DataStream, Dwn, EventEmitterStream, EventLogLevel, Message, MessagesQuery, MessagesRead,
  MessagesSubscribe, MessageStoreLevel, PermissionsProtocol, PrivateKeySigner, ProtocolsConfigure, ProtocolsQuery,
  RecordsDelete, RecordsQuery, RecordsRead, RecordsSubscribe, RecordsWrite, ResumableTaskStoreLevel, Time,
} from '@tbd54566975/dwn-sdk-js';
import { DidJwk, DidKey, UniversalResolver } from '@web5/dids';

import { serveLines } from './serve-lines.mjs';

const urls = await import(new URL('../node_modules/@tbd54566975/dwn-sdk-js/dist/esm/src/utils/url.js', import.meta.url));

const folder = process.env.REFERENCE_FOLDER;

const stores = {
  messageStore       : new MessageStoreLevel({ blockstoreLocation: join(folder, 'messages'), indexLocation: join(folder, 'index') }),
  dataStore          : new DataStoreLevel({ blockstoreLocation: join(folder, 'data') }),
  eventLog           : new EventLogLevel({ location: join(folder, 'events') }),
  resumableTaskStore : new ResumableTaskStoreLevel({ location: join(folder, 'tasks') }),
};
// Whom the gate refuses, and why; no reason is the empty text.
let refused = {};
const tenantGate = {
  async isActiveTenant(did) {
    return Object.hasOwn(refused, did) ? { isActiveTenant: false, detail: refused[did] || undefined } : { isActiveTenant: true };
  },
};
const dwn = await Dwn.create({
  tenantGate,
  didResolver : new UniversalResolver({ didResolvers: [DidJwk, DidKey] }),
  eventStream : new EventEmitterStream(),
  ...stores,
});

const attempt = (action) => {
  try {
    return { value: action() };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};

// The reply, with data that streams back as base64 and a subscription as its ID.
async function processed(tenant, message, data, subscriptionHandler) {
  const dataStream = data === undefined ? undefined : DataStream.fromBytes(Buffer.from(data, 'base64'));
  const reply = await dwn.processMessage(tenant, message, { dataStream, subscriptionHandler });
  if (reply.entry?.data !== undefined) {
    reply.entry.data = Buffer.from(await DataStream.toBytes(reply.entry.data)).toString('base64');
  }
  return reply;
}

// A stream of steps (streams/step.py), one after the other on empty stores: for each step its reply, or what was thrown,
// and the events that it caused.
async function run({ persons, steps }) {
  for (const store of Object.values(stores)) {
    await store.clear();
  }
  const signers = persons.map((person) => new PrivateKeySigner(person));
  const cursors = new Map();
  const subscriptions = new Map();
  const outcomes = [];
  let events;
  for (const step of steps) {
    events = [];
    const outcome = { events };
    refused = step.refused ?? {};
    try {
      if (step.closes !== undefined) {
        await subscriptions.get(step.closes)?.close();
        subscriptions.delete(step.closes);
        outcome.reply = { closed: true };
      } else {
        const message = await withCursor(step, cursors, signers);
        const handler = (event) => events.push([step.number, structuredClone(event)]);
        const reply = await processed(step.tenant, message, step.data, handler);
        cursors.set(step.number, reply.cursor);
        if (reply.subscription !== undefined) {
          subscriptions.set(step.number, reply.subscription);
          reply.subscription = { id: reply.subscription.id };
        }
        outcome.reply = reply;
      }
    } catch (error) {
      outcome.threw = String(error?.stack ?? error);
    }
    outcomes.push(outcome);
  }
  for (const subscription of subscriptions.values()) {
    await subscription.close();
  }
  refused = {};
  return outcomes;
}

async function withCursor({ message, cursorOf, signer, claims }, cursors, signers) {
  const cursor = cursors.get(cursorOf);
  if (cursor === undefined) {
    return message;
  }
  const descriptor = message.descriptor.interface === 'Messages' ?
    { ...message.descriptor, cursor } :
    { ...message.descriptor, pagination: { ...message.descriptor.pagination, cursor } };
  if (message.authorization === undefined) {
    return { descriptor };
  }
  const { authorDelegatedGrant: delegatedGrant } = message.authorization;
  const authorization = await Message.createAuthorization({ descriptor, signer: signers[signer], delegatedGrant, ...claims });
  return { descriptor, authorization };
}

// How each class makes a message of this shape, with this signer.
const authors = {
  async RecordsWrite(message, { owner, ownerDelegated, attester, ...signing }) {
    const { interface: _, method: __, parentId: ___, ...descriptor } = message.descriptor;
    const initial = await RecordsWrite.isInitialWrite(message);
    const write = await RecordsWrite.create({
      ...descriptor,
      ...signing,
      recordId           : initial ? undefined : message.recordId,
      parentContextId    : message.contextId?.split('/').slice(0, -1).join('/'),
      attestationSigners : attester && [attester],
    });
    if (ownerDelegated !== undefined) {
      await write.signAsOwnerDelegate(owner, ownerDelegated);
    } else if (owner !== undefined) {
      await write.signAsOwner(owner);
    }
    return write.message;
  },
  RecordsDelete      : ({ descriptor }, signing) => RecordsDelete.create({ ...descriptor, ...signing }),
  RecordsQuery       : ({ descriptor }, signing) => RecordsQuery.create({ ...descriptor, ...signing }),
  RecordsRead        : ({ descriptor }, signing) => RecordsRead.create({ ...descriptor, ...signing }),
  RecordsSubscribe   : ({ descriptor }, signing) => RecordsSubscribe.create({ ...descriptor, ...signing }),
  MessagesQuery      : ({ descriptor }, signing) => MessagesQuery.create({ ...descriptor, ...signing }),
  MessagesRead       : ({ descriptor }, signing) => MessagesRead.create({ ...descriptor, ...signing }),
  MessagesSubscribe  : ({ descriptor }, signing) => MessagesSubscribe.create({ ...descriptor, ...signing }),
  ProtocolsConfigure : ({ descriptor }, signing) => ProtocolsConfigure.create({ ...descriptor, ...signing }),
  ProtocolsQuery     : ({ descriptor }, signing) => ProtocolsQuery.create({ ...descriptor, ...signing }),
};

async function authored({ persons, messages }) {
  const signers = persons.map((person) => new PrivateKeySigner(person));
  return Promise.all(messages.map(async ({ message, signer, claims, delegated, attester, owner, ownerDelegated }) => {
    const { descriptor } = message;
    const signing = { ...claims, signer: signers[signer], delegatedGrant: delegated };
    const parties = descriptor.method === 'Write' ? { attester: signers[attester], owner: signers[owner], ownerDelegated } : {};
    try {
      const made = await authors[descriptor.interface + descriptor.method](message, { ...signing, ...parties });
      return { message: made.message ?? made };
    } catch (error) {
      return { error: String(error?.message ?? error) };
    }
  }));
}

// A permission request, grant or revocation, with its data, as of a time.
async function permission({ person, kind, options, time }) {
  const now = Time.getCurrentTimestamp;
  Time.getCurrentTimestamp = () => time;
  try {
    const made = await PermissionsProtocol[`create${kind}`]({ ...options, signer: new PrivateKeySigner(person) });
    return made.dataEncodedMessage;
  } finally {
    Time.getCurrentTimestamp = now;
  }
}

serveLines({
  process : ({ tenant, message, data }) => processed(tenant, message, data),
  run,
  authored,
  permission,
  messageCids : ({ messages }) => Promise.all(messages.map((message) => Message.getCid(message))),
  cids        : ({ values }) => Promise.all(values.map((value) => Cid.computeCid(value))),
  // Data of these sizes, made of the bytes `i & 255`.
  dataCids    : ({ sizes }) => Promise.all(sizes.map((size) =>
    Cid.computeDagPbCidFromBytes(Uint8Array.from({ length: size }, (_, i) => i & 255)))),
  normalized  : ({ texts }) => texts.map((text) => attempt(() => urls.normalizeProtocolUrl(text))),
  moments     : ({ texts }) => texts.map((text) => attempt(() => Time.validateTimestamp(text)).error === undefined),
});
