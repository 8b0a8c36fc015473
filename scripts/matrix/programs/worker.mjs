// For a web worker of a page.
import { program } from './program.mjs';

globalThis.onmessage = ({ data }) => {
  program(data).then(
    (result) => globalThis.postMessage({ result }),
    (error) => globalThis.postMessage({ error: String(error) }),
  );
};
