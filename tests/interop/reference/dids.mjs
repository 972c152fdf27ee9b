// @web5/dids and @web5/crypto behind JSON lines. Bytes are base64url.
import { BearerDid, DidDht, DidDhtUtils, DidJwk, DidKey } from '@web5/dids';
import { computeJwkThumbprint, Ed25519, Secp256k1, Secp256r1 } from '@web5/crypto';
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

  resolve({ did, gatewayUri }) {
    return METHODS[did.split(':')[1]].resolve(did, { gatewayUri });
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
