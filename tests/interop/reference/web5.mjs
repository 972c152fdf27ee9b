// web5-js (`@web5/api`) on Node: an app on another device, for tests/interop/api.
// DATA_DIR holds its agent; GATEWAY_URL stands in for the DID DHT gateway that `@web5/dids` is built with.
import { serveLines } from './serve-lines.mjs';

const BUILT_IN_GATEWAY = 'https://diddht.tbddev.org';
const reallyFetch = globalThis.fetch;
globalThis.fetch = (url, options) => reallyFetch(String(url).replace(BUILT_IN_GATEWAY, process.env.GATEWAY_URL), options);
console.log = console.warn = console.error = () => {};
process.chdir(process.env.DATA_DIR);

const { Web5 } = await import('@web5/api');
const { Oidc, WalletConnect } = await import('@web5/agent');
const { DidJwk } = await import('@web5/dids');

let web5;
let changes;

async function checked(promise) {
  const response = await promise;
  if (response.status.code >= 300) throw new Error(`${response.status.code} ${response.status.detail}`);
  return response;
}

// This is what `Web5.connect` does in the app once the connect flow has given it a delegation, …
async function connectAsDelegate({ connectedDid, delegatePortableDid, delegateGrants }) {
  const { agent } = web5;
  const delegateDid = delegatePortableDid.uri;
  const metadata = { connectedDid, name: 'Default', uri: delegateDid, tenant: agent.agentDid.uri };
  await agent.identity.import({ portableIdentity: { portableDid: delegatePortableDid, metadata } });
  const protocols = await Web5.processConnectedGrants({ agent, delegateDid, grants: delegateGrants });
  await agent.sync.registerIdentity({ did: connectedDid, options: { delegateDid, protocols } });
  await agent.sync.sync('pull');
  web5 = new Web5({ agent, connectedDid, delegateDid });
}

// … and `Oidc.submitAuthResponse` in the wallet.
async function authorize({ definition, permissions }) {
  const { agent } = web5;
  const connectedDid = (await agent.identity.list())[0].did.uri;
  const delegate = await DidJwk.create();
  const { permissionScopes } = WalletConnect.createPermissionRequestForProtocol({ definition, permissions });
  const { protocol } = await checked(web5.dwn.protocols.configure({ message: { definition } }));
  await checked(protocol.send(connectedDid));
  const delegateGrants = await Oidc.createPermissionGrants(connectedDid, delegate, agent, permissionScopes);
  return { connectedDid, delegatePortableDid: await delegate.export(), delegateGrants };
}

// An app that asks a wallet, from the link that it shows …
let connecting;
let givePin;
async function askWallet({ server, protocolDefinition, permissions, endpoints }) {
  let onWalletUriReady;
  const link = new Promise((resolve) => { onWalletUriReady = resolve; });
  const pin = new Promise((resolve) => { givePin = resolve; });
  const walletConnectOptions = {
    displayName: 'An app of web5-js',
    connectServerUrl: server,
    walletUri: 'web5://connect',
    permissionRequests: [{ protocolDefinition, permissions }],
    onWalletUriReady,
    validatePin: () => pin,
  };
  const options = { sync: '24h', password: 'interop', techPreview: { dwnEndpoints: endpoints }, walletConnectOptions };
  connecting = Web5.connect(options);
  return Promise.race([link, connecting.then(() => { throw new Error('it asked nobody'); })]);
}

// … to the PIN; and a wallet that approves what it is asked for.
async function enterPin({ pin }) {
  givePin(pin);
  const connection = await connecting;
  await connection.web5.agent.sync.stopSync(30_000);
  web5 = connection.web5;
  return { did: connection.did, delegateDid: connection.delegateDid };
}

async function approve({ link, pin }) {
  const fields = new URL(link).searchParams;
  const request = await Oidc.getAuthRequest(fields.get('request_uri'), fields.get('encryption_key'));
  const connectedDid = (await web5.agent.identity.list())[0].did.uri;
  await Oidc.submitAuthResponse(connectedDid, request, pin, web5.agent);
  return request.displayName;
}

const shown = async (record) => ({
  id: record.id,
  author: record.author,
  data: Buffer.from(await record.data.bytes()).toString('base64'),
  dataFormat: record.dataFormat,
  schema: record.schema,
});

async function readRecord(id, protocol) {
  const { record } = await checked(web5.dwn.records.read({ protocol, message: { filter: { recordId: id } } }));
  return record;
}

// What an app would give: with a format of JSON, web5-js writes bytes out as an object of numbers.
const taken = (data, dataFormat) => {
  const bytes = Buffer.from(data, 'base64');
  return dataFormat === 'application/json' ? JSON.parse(bytes) : new Uint8Array(bytes);
};

serveLines({
  connectAsDelegate: async ({ delegation }) => connectAsDelegate(delegation),
  authorize,
  askWallet,
  enterPin,
  approve,
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
  async create({ data, ...message }) {
    const { record } = await checked(web5.dwn.records.create({ data: taken(data, message.dataFormat), message }));
    return record.id;
  },
  async update({ id, data, protocol }) {
    const record = await readRecord(id, protocol);
    await checked(record.update({ data: taken(data, record.dataFormat) }));
  },
  async remove({ id, protocol }) {
    await checked(web5.dwn.records.delete({ protocol, message: { recordId: id } }));
  },
  async send({ id }) {
    await checked((await readRecord(id)).send());
  },
  async query({ filter, from, role: protocolRole }) {
    const message = { filter, protocolRole };
    const { records } = await checked(web5.dwn.records.query({ from, protocol: filter.protocol, message }));
    return Promise.all(records.map(shown));
  },
  async configure({ did, definition }) {
    const { protocol } = await checked(web5.dwn.protocols.configure({ message: { definition } }));
    await checked(protocol.send(did));
  },
  // Somebody else's DWN: what is written there is made here, not stored, and sent.
  async createAt({ owner, data, ...message }) {
    const request = { data: taken(data, message.dataFormat), message, store: false };
    const { record } = await checked(web5.dwn.records.create(request));
    return (await record.send(owner)).status;
  },
  async updateAt({ owner, id, role: protocolRole, filter, data }) {
    const message = { filter, protocolRole };
    const { records } = await checked(web5.dwn.records.query({ from: owner, protocol: filter.protocol, message }));
    const record = records.find((one) => one.id === id);
    await checked(record.update({ data: taken(data, record.dataFormat), store: false }));
    return (await record.send(owner)).status;
  },
  async sendTo({ id, target }) {
    return (await (await readRecord(id)).send(target)).status;
  },
  async follow({ filter, from, role: protocolRole }) {
    const events = [];
    let wake = () => {};
    const subscriptionHandler = (record) => {
      events.push(record);
      wake();
    };
    await checked(web5.dwn.records.subscribe({ from, message: { filter, protocolRole }, subscriptionHandler }));
    changes = async () => {
      while (!events.length) await new Promise((resolve) => { wake = resolve; });
      return events.shift();
    };
  },
  // The next record of the subscription that `follow` began.
  async next() {
    const record = await changes();
    return record.deleted ? { id: record.id, deleted: true } : shown(record);
  },
  async revokeAll() {
    for (const grant of await web5.dwn.permissions.queryGrants()) {
      const revocation = await grant.revoke();
      await checked(revocation.send());
    }
  },
  async sync({ direction }) {
    await web5.agent.sync.sync(direction);
  },
});
