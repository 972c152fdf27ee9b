// Records that the reference signs, with a key of any curve that it knows, and encrypts.
import { DataStream, Encryption, EncryptionAlgorithm, KeyDerivationScheme, PrivateKeySigner, RecordsWrite, Secp256k1 } from '@tbd54566975/dwn-sdk-js';
import { DidJwk } from '@web5/dids';

import { serveLines } from './serve-lines.mjs';

const JOSE = { 'Ed25519': 'EdDSA', 'secp256k1': 'ES256K', 'P-256': 'ES256' };

const signerOf = async (curve) => {
  const did = await DidJwk.create({ options: { algorithm: curve === 'P-256' ? 'secp256r1' : curve } });
  const { privateKeys, document } = await did.export();
  const keyId = document.verificationMethod[0].id;
  return { did: did.uri, signer: new PrivateKeySigner({ privateJwk: privateKeys[0], keyId, algorithm: JOSE[curve] }) };
};

serveLines({
  async write({ curve, text }) {
    const { did, signer } = await signerOf(curve);
    const data = new TextEncoder().encode(text);
    const { message } = await RecordsWrite.create({ signer, data, dataFormat: 'text/plain' });
    return { did, message };
  },
  // The ciphertext of `text` in base64, and the RecordsWrite that says how it was encrypted.
  async encrypted({ text, schema }) {
    const { did, signer } = await signerOf('Ed25519');
    const [key, initializationVector] = [crypto.getRandomValues(new Uint8Array(32)), crypto.getRandomValues(new Uint8Array(16))];
    const { publicJwk } = await Secp256k1.generateKeyPair();
    const data = await DataStream.toBytes(await Encryption.aes256CtrEncrypt(key, initializationVector, DataStream.fromBytes(new TextEncoder().encode(text))));
    const { message } = await RecordsWrite.create({
      signer, data, schema, dataFormat: 'text/plain',
      encryptionInput : {
        algorithm           : EncryptionAlgorithm.Aes256Ctr,
        initializationVector, key,
        keyEncryptionInputs : [{ derivationScheme: KeyDerivationScheme.Schemas, publicKeyId: `${did}#enc`, publicKey: publicJwk }],
      },
    });
    return { did, message, data: Buffer.from(data).toString('base64') };
  },
});
