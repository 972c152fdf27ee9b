// secp256k1 for the browser, where WebCrypto has none. Bundled by the build into one file of the wheel.
// Bytes are Uint8Array. ECDSA is over SHA-256 of the message, deterministic (RFC 6979), compact R||S with low S.
import { secp256k1 } from "@noble/curves/secp256k1.js";

export const generatePrivateKey = () => secp256k1.utils.randomSecretKey();

export const isPrivateKey = (privateKey) => secp256k1.utils.isValidSecretKey(privateKey);

// 65 bytes: 4, x, y.
export const getPublicKey = (privateKey) => secp256k1.getPublicKey(privateKey, false);

export const sign = (message, privateKey) => secp256k1.sign(message, privateKey, { prehash: true, lowS: true });

export const verify = (signature, message, publicKey) =>
  secp256k1.verify(signature, message, publicKey, { prehash: true, lowS: false });

// 65 bytes: 4, x, y of the point that both have in common.
export const getSharedPoint = (privateKey, publicKey) => secp256k1.getSharedSecret(privateKey, publicKey, false);
