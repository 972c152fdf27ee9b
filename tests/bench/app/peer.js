// web5-js (@web5/api) in a page, driven by tests/bench/app/measure.py with the same steps as ours.
import { Web5 } from './web5.mjs';

const SCHEMA = 'https://schema.org/TextDigitalDocument';
let web5;
let did;

const timed = async (action) => {
  const start = performance.now();
  const value = await action();
  return { ms: performance.now() - start, value };
};

const text = (i) => `Note ${i} `.padEnd(120, 'lorem ipsum ');

const steps = {
  async connect({ endpoints }) {
    const { ms } = await timed(async () => {
      ({ web5, did } = await Web5.connect({ sync: 'off', password: 'bench', techPreview: { dwnEndpoints: endpoints } }));
    });
    await web5.agent.sync.registerIdentity({ did, options: { protocols: [] } });
    return { ms, did };
  },
  async write({ count }) {
    const each = [];
    for (let i = 0; i < count; i += 1) {
      const { ms, value } = await timed(() => web5.dwn.records.create({
        data: text(i), message: { schema: SCHEMA, dataFormat: 'text/plain' },
      }));
      if (value.status.code !== 202) throw new Error(value.status.detail);
      each.push(ms);
    }
    return { each };
  },
  async newest({ repeat, limit }) {
    const each = [];
    for (let i = 0; i < repeat; i += 1) {
      const { ms, value } = await timed(async () => {
        const { records } = await web5.dwn.records.query({
          message: { filter: { schema: SCHEMA }, dateSort: 'createdDescending', pagination: { limit } },
        });
        return Promise.all(records.map((record) => record.data.text()));
      });
      if (value.length !== limit) throw new Error(`${value.length} records`);
      each.push(ms);
    }
    return { each };
  },
  async count() {
    const { records } = await web5.dwn.records.query({ message: { filter: { schema: SCHEMA } } });
    return { count: records.length };
  },
  async sync({ direction }) {
    const { ms } = await timed(() => web5.agent.sync.sync(direction));
    return { ms };
  },
  async export_identity() {
    return web5.agent.identity.export({ didUri: did });
  },
  async import_identity({ portable_identity: portableIdentity }) {
    await web5.agent.identity.import({ portableIdentity });
    did = portableIdentity.portableDid.uri;
    await web5.agent.sync.registerIdentity({ did, options: { protocols: [] } });
    web5 = new Web5({ agent: web5.agent, connectedDid: did });
    return { did };
  },
};

globalThis.bench = async (name, args) => JSON.stringify(await steps[name](JSON.parse(args)));
performance.mark('script');
