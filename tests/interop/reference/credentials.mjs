// @web5/credentials behind JSON lines; DIDs come in as portable DIDs.
import {
  Jwt,
  PresentationExchange,
  StatusListCredential,
  VerifiableCredential,
  VerifiablePresentation,
} from '@web5/credentials';
import { DidDht, DidJwk, DidKey, UniversalResolver } from '@web5/dids';
import { serveLines } from './serve-lines.mjs';

const METHODS = { dht: DidDht, jwk: DidJwk, key: DidKey };
const bearer = (portableDid) => METHODS[portableDid.uri.split(':')[1]].import({ portableDid });
const parsed = (vcJwt) => VerifiableCredential.parseJwt({ vcJwt });

serveLines({
  // The package resolves did:dht through a gateway that it is built with, unless it is given another resolver.
  useGateway({ gatewayUri }) {
    const viaGateway = { methodName: 'dht', resolve: (did) => DidDht.resolve(did, { gatewayUri }) };
    Jwt.didResolver = new UniversalResolver({ didResolvers: [viaGateway, DidJwk, DidKey] });
  },

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
  answer: (params) => PresentationExchange.createPresentationFromCredentials(params),

  evaluate(params) {
    const { errors } = PresentationExchange.evaluatePresentation(params);
    if (errors?.length) throw new Error(JSON.stringify(errors));
  },
});
