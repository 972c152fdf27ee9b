// Makes pysrc/web5/ecma_regexp/properties.bin anew: node make-properties.mjs FILE. The names are those that FILE has.
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateSync, inflateSync } from 'node:zlib';

const LAST = 0x10ffff;
const file = process.argv[2];
const old = inflateSync(readFileSync(file));
const known = JSON.parse(old.subarray(4, 4 + old.readUInt32BE()).toString());

const property = (name) =>
  name.replace(/^gc=/, 'General_Category=').replace(/^sc=/, 'Script=').replace(/^scx=/, 'Script_Extensions=');

function boundaries(name) {
  const pattern = new RegExp(`^\\p{${property(name)}}$`, 'u');
  const found = [];
  for (let code = 0, inside = false; code <= LAST; code++) {
    const holds = pattern.test(String.fromCodePoint(code));
    if (holds !== inside) found.push(code);
    inside = holds;
  }
  return found;
}

const names = {};
const bytes = [];
const places = new Map();
for (const name of Object.keys(known)) {
  const found = boundaries(name);
  const key = found.join();
  if (!places.has(key)) {
    const start = bytes.length;
    found.forEach((bound, at) => {
      let distance = bound - (at ? found[at - 1] : 0);
      for (; distance > 127; distance >>= 7) bytes.push((distance & 127) | 128);
      bytes.push(distance);
    });
    places.set(key, [start, bytes.length - start]);
  }
  names[name] = places.get(key);
}
const head = Buffer.from(JSON.stringify(names));
const length = Buffer.alloc(4);
length.writeUInt32BE(head.length);
writeFileSync(file, deflateSync(Buffer.concat([length, head, Buffer.from(bytes)]), { level: 9 }));
