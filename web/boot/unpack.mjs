// Lays a stored zip's files out in Pyodide's file system, without copying their bytes.
// `roots` says where each top folder of the archive goes. Returns the paths of all files.
export function unpack(FS, archive, roots) {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.length);
  const text = new TextDecoder();
  const made = new Set();
  const paths = [];
  const end = archive.length - 22; // the end record; our archives have no comment after it
  let entry = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const size = view.getUint32(entry + 24, true);
    const nameLength = view.getUint16(entry + 28, true);
    const local = view.getUint32(entry + 42, true);
    const name = text.decode(archive.subarray(entry + 46, entry + 46 + nameLength));
    const content = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const [top] = name.split("/", 1);
    const path = roots[top] + name.slice(top.length);
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) {
      FS.mkdirTree(folder);
      made.add(folder);
    }
    paths.push(path);
    FS.writeFile(path, archive.subarray(content, content + size), { canOwn: true });
    entry += 46 + nameLength + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  return paths;
}
