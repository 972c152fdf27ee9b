// Patterns as this engine reads them: `new RegExp(source, "u").test(text)`.
import { serveLines } from './serve-lines.mjs';

const tested = (pattern, text) => {
  try {
    return pattern.test(text);
  } catch {
    return null; // for want of stack
  }
};

serveLines({
  // For each [source, texts]: null where the source is no pattern, else an answer for each text.
  test: ({ cases }) =>
    cases.map(([source, texts]) => {
      let pattern;
      try {
        pattern = new RegExp(source, 'u');
      } catch {
        return null;
      }
      return texts.map((text) => tested(pattern, text));
    }),
});
