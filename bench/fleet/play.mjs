/** One simulation in a process of its own: `play.mjs scenario`, as JSON. Sends the figures to its parent. */
import { simulate } from './simulate.mjs';

process.send(simulate(JSON.parse(process.argv[2])));
process.disconnect();
