// A file of the site that the build has compressed, over a line that may break: what is missing is asked for again, by
// Range where the server knows that.
//
// 1. A break is an error of the network, an end before the file's, a status of 5xx, or silence. The bytes that are here
//    stay; they are the same in every answer, since the file's name has its hash. Where an answer says that it is of
//    another file all the same, by its ETag or its size, nothing is put together of the two.
// 2. After so many tries in a row without one byte, it is given up.
// 3. Our service worker answers with the unpacked file, which is passed on as it is: browsers keep what they have
//    compiled only with such responses.
const TRIES = 7;
const FIRST_PAUSE_MS = 250; // and twice as long after each try, until
const LONGEST_PAUSE_MS = 8000;
const SILENCE_MS = 20000;
const UNPACKED = "web5-unpacked"; // the header by which our service worker says so

export class Broken extends Error {}

// A response with the content of the file, as it was before the build compressed it.
//   bytes: the size of the compressed file.
//   type: the content's media type.
//   arrived(count): called with the count of bytes of each piece that comes over the line.
//   waiting(tries, most): called before each further try, and with 0 once bytes arrive again.
//   ended(): called once all of it is here.
export async function follow(url, { bytes, type, arrived, waiting, ended }) {
  const transfer = new Transfer(url, bytes);
  let tries = 0;

  // What `step` gives, though the line may break meanwhile.
  async function lasting(step) {
    for (;;) {
      try {
        const found = await step();
        if (tries) waiting(0, TRIES);
        tries = 0;
        return found;
      } catch (error) {
        transfer.hangUp();
        tries += 1;
        if (error instanceof Broken || tries >= TRIES) {
          throw new Broken(`${url} does not arrive, after ${tries} tries: ${error.message}`);
        }
        waiting(tries, TRIES);
        const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  const response = await lasting(() => transfer.ask());
  if (response.headers.has(UNPACKED)) {
    ended();
    return response;
  }
  let piece = await lasting(() => transfer.next());
  // Some servers send such files as an encoding of what is in them, which the browser undoes.
  const isPacked = piece?.[0] === 0x1f && piece[1] === 0x8b;
  const body = new ReadableStream({
    async pull(controller) {
      if (piece) {
        arrived(piece.length);
        controller.enqueue(piece);
        piece = await lasting(() => transfer.next());
      }
      if (!piece) {
        ended();
        controller.close();
      }
    },
    cancel: () => transfer.hangUp(),
  });
  const content = isPacked ? body.pipeThrough(new DecompressionStream("gzip")) : body;
  return new Response(content, { headers: { "content-type": type } });
}

class Transfer {
  #url;
  #bytes;
  #got = 0;
  #skip = 0;
  #encoded = false; // by the transport: then the bytes that are here are not those of the file
  #etag; // of the answer that the bytes here are from
  #reader;
  #abort;

  constructor(url, bytes) {
    this.#url = url;
    this.#bytes = bytes;
  }

  async ask() {
    this.#abort = new AbortController();
    const headers = this.#got > 0 && !this.#encoded ? { Range: `bytes=${this.#got}-` } : {};
    if (headers.Range && this.#etag?.startsWith('"')) headers["If-Range"] = this.#etag;
    const response = await this.#inTime(globalThis.fetch(this.#url, { headers, signal: this.#abort.signal }));
    if (!response.ok) {
      const Kind = response.status >= 500 || response.status === 429 ? Error : Broken;
      throw new Kind(`${response.status} ${response.statusText}`);
    }
    const etag = response.headers.get("etag");
    if (this.#got > 0 && this.#etag && etag && etag !== this.#etag) throw new Broken("it is another file by now");
    this.#etag = etag;
    const goesOn = response.status === 206 && this.#isWanted(response.headers.get("content-range"));
    if (response.status === 206 && !goesOn) throw new Broken("the server sent another part than was asked for");
    this.#skip = goesOn ? 0 : this.#got;
    this.#encoded ||= response.headers.has("content-encoding");
    if (!response.headers.has(UNPACKED)) this.#reader = response.body.getReader();
    return response;
  }

  // The next bytes of the file, or undefined at its end.
  async next() {
    if (!this.#reader) await this.ask();
    for (;;) {
      const { done, value } = await this.#inTime(this.#reader.read());
      if (done) {
        if (!this.#encoded && this.#got !== this.#bytes) throw new Error(`it ended after ${this.#got} bytes`);
        return undefined;
      }
      const known = Math.min(this.#skip, value.length);
      this.#skip -= known;
      if (known === value.length) continue;
      this.#got += value.length - known;
      return value.subarray(known);
    }
  }

  // The size may be unknown to the server, which is "*" then.
  #isWanted(range) {
    const [, start, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
    return Number(start) === this.#got && (size === "*" || Number(size) === this.#bytes);
  }

  hangUp() {
    this.#reader = undefined;
    this.#abort?.abort();
  }

  async #inTime(answer) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(reject, SILENCE_MS, new Error("nothing arrives"));
    });
    return Promise.race([answer, silence]).finally(() => clearTimeout(timer));
  }
}
