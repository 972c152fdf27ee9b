// Answers JSON lines on stdio: `{id, method, params}` in, `{id, result}` or `{id, error}` out.
import { createInterface } from 'node:readline';

export function serveLines(methods) {
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
  lines.on('line', async (line) => {
    const { id, method, params } = JSON.parse(line);
    let reply;
    try {
      reply = { id, result: await methods[method](params) };
    } catch (error) {
      reply = { id, error: String(error?.stack ?? error) };
    }
    process.stdout.write(JSON.stringify(reply) + '\n');
  });
  lines.on('close', () => process.exit(0));
}
