// A reference @web5/dwn-server on the port and data directory that the environment names; see ../dwn_server.py.
//
// The stores are given one by one: DWN_STORAGE as a whole would turn tenant registration on. REGISTRATION does that, by
// the server's own variables for terms of service and proof of work.
// Prints `listening <port>` once it accepts, and ends when its stdin closes, so it never outlives the tests. A line
// `<step> <nth>` there has it die in the middle of a write, before that step (see STEPS) is done for the nth time from
// then on; it answers `armed`.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

console.log = console.info = console.error; // stdout carries the one line that is read

const { DATA_DIR, DATABASE, GATEWAY_URL, REGISTRATION } = process.env;
// Its connect relay names itself by the URL that it is told, so the port has to be known before it listens.
const PORT = Number(process.env.PORT ?? 0) || (await freePort());
// DATABASE is of PostgreSQL. What its cache forgets in time lies beside it.
const sqlite = (name) => `sqlite://${DATA_DIR}/${name}.sqlite`;
const store = (name) => DATABASE || sqlite(name);
Object.assign(process.env, {
  DWN_STORAGE_MESSAGES: store('messages'),
  DWN_STORAGE_DATA: store('data'),
  DWN_STORAGE_EVENTS: store('events'),
  DWN_STORAGE_RESUMABLE_TASKS: store('tasks'),
  DWN_TTL_CACHE_URL: sqlite('ttl'),
  DWN_SERVER_PACKAGE_JSON: new URL('../node_modules/@web5/dwn-server/package.json', import.meta.url).pathname,
  DWN_SERVER_LOG_LEVEL: process.env.DWN_SERVER_LOG_LEVEL ?? 'warn',
  DS_PORT: String(PORT),
  DWN_BASE_URL: `http://127.0.0.1:${PORT}`,
});
delete process.env.DWN_STORAGE;
delete process.env.DWN_REGISTRATION_STORE_URL;
if (REGISTRATION) process.env.DWN_REGISTRATION_STORE_URL = sqlite('registrations');

// The server reads its configuration from the environment while it is imported.
const { DwnServer } = await import('@web5/dwn-server');
const { DidDht, DidJwk, DidKey, DidWeb, UniversalResolver } = await import('@web5/dids');

const TTL_MS = 15 * 60 * 1000;
const resolved = new Map();
const cache = {
  async get(did) {
    const entry = resolved.get(did);
    if (entry && entry.until > Date.now()) return entry.result;
  },
  async set(did, result) {
    if (!result.didResolutionMetadata.error) resolved.set(did, { result, until: Date.now() + TTL_MS });
  },
  async delete(did) { resolved.delete(did); },
  async clear() { resolved.clear(); },
  async open() {},
  async close() {},
};

// `new URL(key, gateway)` replaces the last path segment, so a gateway under a path needs its slash.
const gatewayUri = GATEWAY_URL && (GATEWAY_URL.endsWith('/') ? GATEWAY_URL : `${GATEWAY_URL}/`);
const viaGateway = {
  methodName: 'dht',
  resolve: (did) => DidDht.resolve(did, { gatewayUri }),
};
const didResolver = new UniversalResolver({
  cache,
  didResolvers: [...(gatewayUri ? [viaGateway] : []), DidJwk, DidKey, DidWeb],
});

// A write is put, appended to the log of events, and then messages that it supersedes are deleted one by one; an initial
// write is put again.
const { EventLogSql, MessageStoreSql } = await import('@tbd54566975/dwn-sql-store');
const STEPS = { put: MessageStoreSql, append: EventLogSql, delete: MessageStoreSql };
const left = {};
for (const [step, { prototype }] of Object.entries(STEPS)) {
  const { [step]: act } = prototype;
  prototype[step] = function (...parameters) {
    left[step] -= 1;
    if (left[step] === 0) process.kill(process.pid, 'SIGKILL');
    return act.apply(this, parameters);
  };
}

const server = new DwnServer({ didResolver });
await server.start();
const orders = createInterface({ input: process.stdin });
orders.on('line', (order) => {
  const [step, nth] = order.split(' ');
  left[step] = Number(nth);
  process.stdout.write('armed\n');
});
orders.on('close', () => process.exit(0));
process.stdout.write(`listening ${server.httpServer.address().port}\n`);

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
