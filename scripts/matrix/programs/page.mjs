// For pages: the matrix calls it in the browser.
import { program } from './program.mjs';

globalThis.runProgram = program;
