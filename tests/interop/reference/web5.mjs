// web5-js (`@web5/api`) on Node: an app on another device, for tests/interop/api.
// DATA_DIR holds its agent; GATEWAY_URL stands in for the DID DHT gateway that `@web5/dids` is built with.
import { serveLines } from './serve-lines.mjs';

const BUILT_IN_GATEWAY = 'https://diddht.tbddev.org';
const reallyFetch = globalThis.fetch;
globalThis.fetch = (url, options) => reallyFetch(String(url).replace(BUILT_IN_GATEWAY, process.env.GATEWAY_URL), options);
console.log = console.warn = console.error = () => {};
process.chdir(process.env.DATA_DIR);

const { Web5 } = await import('@web5/api');

let web5;

async function checked(promise) {
  const response = await promise;
  if (response.status.code >= 300) throw new Error(`${response.status.code} ${response.status.detail}`);
  return response;
}

const shown = async (record) => ({
  id: record.id,
  author: record.author,
  data: Buffer.from(await record.data.bytes()).toString('base64'),
  dataFormat: record.dataFormat,
  schema: record.schema,
});

async function readRecord(id) {
  const { record } = await checked(web5.dwn.records.read({ message: { filter: { recordId: id } } }));
  return record;
}

serveLines({
  async connect({ endpoints }) {
    const connection = await Web5.connect({ sync: 'off', password: 'interop', techPreview: { dwnEndpoints: endpoints } });
    web5 = connection.web5;
    await web5.agent.sync.registerIdentity({ did: connection.did, options: { protocols: [] } });
    return connection.did;
  },
  async exportIdentity({ did }) {
    return web5.agent.identity.export({ didUri: did });
  },
  async importIdentity({ portableIdentity }) {
    const identity = await web5.agent.identity.import({ portableIdentity });
    await web5.agent.sync.registerIdentity({ did: identity.did.uri, options: { protocols: [] } });
    web5 = new Web5({ agent: web5.agent, connectedDid: identity.did.uri });
    return identity.did.uri;
  },
  async create({ data, schema, dataFormat }) {
    const bytes = Buffer.from(data, 'base64');
    const { record } = await checked(web5.dwn.records.create({ data: new Uint8Array(bytes), message: { schema, dataFormat } }));
    return record.id;
  },
  async update({ id, data }) {
    const record = await readRecord(id);
    await checked(record.update({ data: new Uint8Array(Buffer.from(data, 'base64')) }));
  },
  async remove({ id }) {
    await checked(web5.dwn.records.delete({ message: { recordId: id } }));
  },
  async send({ id }) {
    await checked((await readRecord(id)).send());
  },
  async query({ filter, from }) {
    const { records } = await checked(web5.dwn.records.query({ from, message: { filter } }));
    return Promise.all(records.map(shown));
  },
  async sync({ direction }) {
    await web5.agent.sync.sync(direction);
  },
});
