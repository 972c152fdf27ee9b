// The reference engine in Node, on LevelDB in the folder BENCH_FOLDER, for tests/bench/engine.
import { join } from 'node:path';

import * as sdk from '../../interop/node_modules/@tbd54566975/dwn-sdk-js/dist/esm/src/index.js';
import { serveLines } from '../../interop/reference/serve-lines.mjs';
import { engineSteps } from './steps.mjs';

serveLines(engineSteps(sdk, (name) => join(process.env.BENCH_FOLDER, name)));
