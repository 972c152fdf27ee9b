// dwn-sdk-js in a page, for tests/bench/engine. Not inline: the site's policy runs scripts of files alone.
import * as sdk from './dwn.mjs';
import { engineSteps } from './steps.mjs';

const steps = engineSteps(sdk, (name) => name);
globalThis.bench = async (name, args) => JSON.stringify((await steps[name](JSON.parse(args))) ?? null);
