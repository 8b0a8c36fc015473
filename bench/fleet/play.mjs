/** `play.mjs scenario`: one simulation in a process of its own. The scenario is JSON; the figures go to the parent. */
import { simulate } from './simulate.mjs';

process.send(simulate(JSON.parse(process.argv[2])));
process.disconnect();
