// @web5/credentials behind JSON lines. DIDs are portable, bits and signatures are as the package gives them.
import {
  PresentationExchange,
  StatusListCredential,
  VerifiableCredential,
  VerifiablePresentation,
} from '@web5/credentials';
import { DidDht, DidJwk, DidKey } from '@web5/dids';
import { serveLines } from './serve-lines.mjs';

const METHODS = { dht: DidDht, jwk: DidJwk, key: DidKey };
const bearer = (portableDid) => METHODS[portableDid.uri.split(':')[1]].import({ portableDid });
const parsed = (vcJwt) => VerifiableCredential.parseJwt({ vcJwt });

serveLines({
  async createDid({ didMethod, options = {} }) {
    return (await METHODS[didMethod].create({ options })).export();
  },

  async issue({ portableDid, options }) {
    const credential = await VerifiableCredential.create({ issuer: portableDid.uri, ...options });
    return { vc: credential.vcDataModel, jwt: await credential.sign({ did: await bearer(portableDid) }) };
  },

  async present({ portableDid, options }) {
    const presentation = await VerifiablePresentation.create({ holder: portableDid.uri, ...options });
    return { vp: presentation.vpDataModel, jwt: await presentation.sign({ did: await bearer(portableDid) }) };
  },

  // A credential of any shape, signed without a look at it.
  async signAnyway({ portableDid, vc }) {
    return new VerifiableCredential(vc).sign({ did: await bearer(portableDid) });
  },

  verify: ({ vcJwt }) => VerifiableCredential.verify({ vcJwt }),
  verifyPresentation: ({ vpJwt }) => VerifiablePresentation.verify({ vpJwt }),

  parse({ vcJwt }) {
    const { type, issuer, subject, vcDataModel } = parsed(vcJwt);
    return { type, issuer, subject, vc: vcDataModel };
  },

  async statusList({ portableDid, options, disabled }) {
    const credentialsToDisable = disabled.map(parsed);
    const list = StatusListCredential.create({ issuer: portableDid.uri, credentialsToDisable, ...options });
    return list.sign({ did: await bearer(portableDid) });
  },

  isDisabled: ({ vcJwt, listJwt }) => StatusListCredential.validateCredentialInStatusList(parsed(vcJwt), parsed(listJwt)),

  selectCredentials: (params) => PresentationExchange.selectCredentials(params),
});
