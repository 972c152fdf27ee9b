// secp256k1 for the browser, where WebCrypto has none, and what WebCrypto does not do everywhere: the public point of
// P-256, Ed25519 over much data, and keys of Ed25519 and X25519 that begin with a zero. Bundled by the build into one file of the wheel.
// Bytes are Uint8Array. ECDSA is over SHA-256 of the message, deterministic (RFC 6979), compact R||S with low S.
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";

export const generatePrivateKey = () => secp256k1.utils.randomSecretKey();

export const isPrivateKey = (privateKey) => secp256k1.utils.isValidSecretKey(privateKey);

// 65 bytes: 4, x, y.
export const getPublicKey = (privateKey) => secp256k1.getPublicKey(privateKey, false);

export const getPublicKeyOfP256 = (privateKey) => p256.getPublicKey(privateKey, false);

export const sign = (message, privateKey) => secp256k1.sign(message, privateKey, { prehash: true, lowS: true });

export const verify = (signature, message, publicKey) =>
  secp256k1.verify(signature, message, publicKey, { prehash: true, lowS: false });

// 65 bytes: 4, x, y of the point that both have in common.
export const getSharedPoint = (privateKey, publicKey) => secp256k1.getSharedSecret(privateKey, publicKey, false);

export const signEd25519 = (message, privateKey) => ed25519.sign(message, privateKey);

export const verifyEd25519 = (signature, message, publicKey) =>
  ed25519.verify(signature, message, publicKey, { zip215: false });

const curves = { Ed25519: ed25519, X25519: x25519 };

export const getPublicKeyOf = (curve, privateKey) => curves[curve].getPublicKey(privateKey);

export const isPointOfEd25519 = (publicKey) => {
  try {
    return Boolean(ed25519.Point.fromBytes(publicKey));
  } catch {
    return false;
  }
};

export const getSharedSecret = (privateKey, publicKey) => x25519.getSharedSecret(privateKey, publicKey);
