// What the reference does with encrypted records: derivation of keys, ECIES, the `encryption` property, protocol keys.
import { DataStream, Encryption, EncryptionAlgorithm, HdKey, PrivateKeySigner, Protocols, Records, RecordsWrite, Secp256k1 } from '@tbd54566975/dwn-sdk-js';
import { DidJwk } from '@web5/dids';

import { serveLines } from './serve-lines.mjs';

const bytes = (base64) => new Uint8Array(Buffer.from(base64, 'base64'));
const base64 = (data) => Buffer.from(data).toString('base64');
const collect = (stream) => DataStream.toBytes(stream);

const aliceSigner = async () => {
  const did = await DidJwk.create({ options: { algorithm: 'Ed25519' } });
  const { privateKeys, document } = await did.export();
  const signer = new PrivateKeySigner({ privateJwk: privateKeys[0], keyId: document.verificationMethod[0].id, algorithm: 'EdDSA' });
  return { did: did.uri, signer };
};

serveLines({
  async keyPair() {
    return Secp256k1.generateKeyPair();
  },
  async derive({ privateJwk, path }) {
    return base64(await HdKey.derivePrivateKeyBytes(Secp256k1.privateJwkToBytes(privateJwk), path));
  },
  async derivedKey({ ancestor, path }) {
    return HdKey.derivePrivateKey(ancestor, path);
  },
  async eciesEncrypt({ publicJwk, data }) {
    const made = await Encryption.eciesSecp256k1Encrypt(Secp256k1.publicJwkToBytes(publicJwk), bytes(data));
    return {
      ephemeralPublicJwk : await Secp256k1.publicKeyToJwk(made.ephemeralPublicKey),
      nonce              : base64(made.initializationVector),
      tag                : base64(made.messageAuthenticationCode),
      ciphertext         : base64(made.ciphertext),
    };
  },
  async eciesDecrypt({ privateJwk, ephemeralPublicJwk, nonce, tag, ciphertext }) {
    return base64(await Encryption.eciesSecp256k1Decrypt({
      privateKey                : Secp256k1.privateJwkToBytes(privateJwk),
      ephemeralPublicKey        : Secp256k1.publicJwkToBytes(ephemeralPublicJwk),
      initializationVector      : bytes(nonce),
      messageAuthenticationCode : bytes(tag),
      ciphertext                : bytes(ciphertext),
    }));
  },
  async ctr({ key, iv, data }) {
    return base64(await collect(await Encryption.aes256CtrEncrypt(bytes(key), bytes(iv), DataStream.fromBytes(bytes(data)))));
  },
  async path({ scheme, message }) {
    return Records.constructKeyDerivationPath(scheme, message);
  },
  async inject({ definition, rootKeyId, privateJwk }) {
    return Protocols.deriveAndInjectPublicEncryptionKeys(definition, rootKeyId, privateJwk);
  },
  // A record whose content key is wrapped for keys derived from `privateJwk`, one for each scheme.
  async write({ data, key, iv, privateJwk, rootKeyId, schemes, properties }) {
    const { did, signer } = await aliceSigner();
    const ciphertext = await collect(await Encryption.aes256CtrEncrypt(bytes(key), bytes(iv), DataStream.fromBytes(bytes(data))));
    const draft = await RecordsWrite.create({ ...properties, data: ciphertext, signer });
    const keyEncryptionInputs = [];
    for (const derivationScheme of schemes) {
      const root = { rootKeyId, derivationScheme, derivedPrivateKey: privateJwk };
      const publicKey = await HdKey.derivePublicKey(root, Records.constructKeyDerivationPath(derivationScheme, draft.message));
      keyEncryptionInputs.push({ derivationScheme, publicKeyId: rootKeyId, publicKey });
    }
    await draft.encryptSymmetricEncryptionKey({
      algorithm: EncryptionAlgorithm.Aes256Ctr, initializationVector: bytes(iv), key: bytes(key), keyEncryptionInputs,
    });
    await draft.sign({ signer });
    return { did, message: draft.message, data: base64(ciphertext) };
  },
  async decrypt({ message, key, data }) {
    return base64(await collect(await Records.decrypt(message, key, DataStream.fromBytes(bytes(data)))));
  },
});
