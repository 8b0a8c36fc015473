// For runtimes with a command line: the options come as JSON in an argument, the result goes to the standard output.
import { program } from './program.mjs';

const given = globalThis.Deno?.args ?? process.argv.slice(2);
program(JSON.parse(given[0])).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    globalThis.process.exitCode = 1;
  },
);
