// web5-js (@web5/api) in a page, driven by tests/bench/sync/measure.py with the same steps as ours.
import { Web5 } from './web5.mjs';

const SCHEMA = 'https://schema.org/TextDigitalDocument';
const INTERVAL = '1s';
const seen = new Map();
let news = Promise.withResolvers();
let web5;

const text = (i) => `Note ${i} `.padEnd(120, 'lorem ipsum ');

const accepted = async (promise) => {
  const result = await promise;
  if (result.status.code >= 300) throw new Error(result.status.detail);
  return result;
};

// An update is told of before it has taken the place of the write before, and until then its text cannot be read.
const readable = async (record) => {
  for (;;) {
    try {
      return await record.data.text();
    } catch (error) {
      if (!error.message.includes('RecordsReadReturnedMultiple')) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  }
};

const create = (data) => accepted(web5.dwn.records.create({ data, message: { schema: SCHEMA, dataFormat: 'text/plain' } }));

const steps = {
  async open({ identity }) {
    // web5-js makes an identity of its own; it is not synced.
    ({ web5 } = await Web5.connect({ sync: 'off', password: 'bench', techPreview: { dwnEndpoints: [] } }));
    await web5.agent.identity.import({ portableIdentity: identity });
    const did = identity.portableDid.uri;
    await web5.agent.sync.registerIdentity({ did, options: { protocols: [] } });
    web5 = new Web5({ agent: web5.agent, connectedDid: did });
    return { did };
  },
  async write({ count }) {
    for (let i = 0; i < count; i += 1) await create(text(i));
    return {};
  },
  async sync({ direction }) {
    const start = performance.now();
    await web5.agent.sync.sync(direction);
    return { ms: performance.now() - start };
  },
  async count() {
    const { records } = await web5.dwn.records.query({ message: { filter: { schema: SCHEMA } } });
    return { count: records.length };
  },
  async start() {
    await web5.agent.sync.startSync({ interval: INTERVAL });
    return { mode: `every ${INTERVAL}` };
  },
  async stop() {
    await web5.agent.sync.stopSync(60_000);
    return {};
  },
  async watch() {
    await accepted(web5.dwn.records.subscribe({
      message: { filter: { schema: SCHEMA } },
      subscriptionHandler: async (record) => {
        seen.set(await readable(record), Date.now() / 1000);
        news.resolve();
      },
    }));
    return {};
  },
  async create({ text: data }) {
    const { record } = await create(data);
    return { id: record.id };
  },
  async edit({ id, text: data }) {
    const { record } = await accepted(web5.dwn.records.read({ message: { filter: { recordId: id } } }));
    const at = Date.now() / 1000;
    await accepted(record.update({ data }));
    return { at };
  },
  async seen({ text: data }) {
    while (!seen.has(data)) {
      await news.promise;
      news = Promise.withResolvers();
    }
    return { at: seen.get(data) };
  },
};

globalThis.bench = async (name, args) => JSON.stringify(await steps[name](JSON.parse(args)));
