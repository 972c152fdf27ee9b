// @web5/dids and @web5/crypto behind JSON lines. Bytes are base64url.
import { BearerDid, DidDht, DidDhtDocument, DidDhtUtils, DidJwk, DidKey, DidWeb, UniversalResolver } from '@web5/dids';
import { computeJwkThumbprint, Ed25519, Secp256k1, Secp256r1 } from '@web5/crypto';
import * as dnsPacket from '@dnsquery/dns-packet';
import { serveLines } from './serve-lines.mjs';

const METHODS = { dht: DidDht, jwk: DidJwk, key: DidKey };
const CURVES = { Ed25519, secp256k1: Secp256k1, 'P-256': Secp256r1 };
const toText = (bytes) => Buffer.from(bytes).toString('base64url');
const toBytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'));

serveLines({
  async create({ didMethod, options = {} }) {
    const did = await METHODS[didMethod].create({ options });
    return did.export();
  },

  async publish({ portableDid, gatewayUri }) {
    const did = await BearerDid.import({ portableDid });
    return (await DidDht.publish({ did, gatewayUri })).didDocumentMetadata;
  },

  resolve({ did, ...options }) {
    return METHODS[did.split(':')[1]].resolve(did, options);
  },

  // A did:web whose website has `files`, by URL; `asked` is what was fetched.
  async resolveWeb({ did, files }) {
    const fetched = globalThis.fetch;
    const asked = [];
    globalThis.fetch = async (address) => {
      const url = new URL(address).href;
      asked.push(url);
      return url in files ? Response.json(files[url]) : new Response('', { status: 404 });
    };
    try {
      return { result: await DidWeb.resolve(did), asked };
    } finally {
      globalThis.fetch = fetched;
    }
  },

  // A DID URL, of a DID that resolves to `resolution`.
  dereference({ didUrl, resolution }) {
    const method = { methodName: didUrl.split(':')[1], resolve: async () => resolution };
    return new UniversalResolver({ didResolvers: [method] }).dereference(didUrl);
  },

  async toPacket({ document, ...options }) {
    return toText(dnsPacket.encode(await DidDhtDocument.toDnsPacket({ didDocument: document, ...options })));
  },

  fromPacket({ did, packet }) {
    return DidDhtDocument.fromDnsPacket({ didUri: did, dnsPacket: dnsPacket.decode(toBytes(packet)) });
  },

  async importAndSign({ portableDid, data, methodId }) {
    const did = await METHODS[portableDid.uri.split(':')[1]].import({ portableDid });
    const signer = await did.getSigner(methodId && { methodId });
    const signature = await signer.sign({ data: toBytes(data) });
    return { keyId: signer.keyId, algorithm: signer.algorithm, signature: toText(signature), exported: await did.export() };
  },

  async signingMethod({ didMethod, didDocument }) {
    return (await METHODS[didMethod].getSigningMethod({ didDocument })).id;
  },

  // The X25519 keys of an Ed25519 key.
  async toX25519({ privateKey, publicKey }) {
    return {
      privateKey: await Ed25519.convertPrivateKeyToX25519({ privateKey }),
      publicKey: await Ed25519.convertPublicKeyToX25519({ publicKey }),
    };
  },

  isPoint({ key }) {
    return Ed25519.validatePublicKey({ publicKeyBytes: toBytes(key) });
  },

  verify({ key, data, signature }) {
    return CURVES[key.crv].verify({ key, data: toBytes(data), signature: toBytes(signature) });
  },

  thumbprint({ jwk }) {
    return computeJwkThumbprint({ jwk });
  },

  identityKey({ did }) {
    return toText(DidDhtUtils.identifierToIdentityKeyBytes({ didUri: did }));
  },
});
