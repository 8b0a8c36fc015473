import { faultKinds, faultNames, type FaultKind } from '../emulator/faults/faultKinds.js';
import type { FaultName } from '../emulator/index.js';

/** What each fault does, in a line. */
const TEXTS: Readonly<Record<FaultName, string>> = {
  'connection-refused': 'no connection is made',
  'reset-before': 'the connection breaks before the request takes effect',
  'reset-after': 'the connection breaks after the request has taken effect',
  'no-answer': 'the request takes effect, and an answer never comes',
  latency: 'the request arrives 200 ms late',
  'slow-answer': 'the answer comes 10 s late',
  'slow-body': 'the answer begins at once, and takes 10 s',
  'truncated-answer': 'the second half of the answer is missing',
  'html-502': '502 with a page of HTML',
  'empty-502': '502 with an empty body',
  'empty-429': '429, as if a limit were exceeded',
  'bare-error': '200 with nothing but an error',
  answer: 'an answer of your choice (as JSON: status, headers, body)',
  'dropped-stream': 'chunks are taken from the stream, and the answer is lost',
  'transient-404': 'a new job cannot be read for 2 s',
  'lost-worker': "the job's worker disappears",
  'json-error': 'the job fails with an error that is JSON in a string',
  'no-output': 'the job completes without output',
  'late-progress': 'a job that has ended shows IN_PROGRESS again',
  'expired-result': 'a job that has ended cannot be read any more',
  'duplicate-webhook': "the job's webhook comes twice",
  'no-workers': 'there are no workers',
  'throttled-workers': 'workers wait for a free GPU',
  'unhealthy-workers': 'workers crash as they start',
};

const TITLES: Readonly<Record<string, readonly FaultKind[]>> = {
  'Faults of requests:': ['request', 'latency', 'chunks'],
  'Faults of jobs:': ['job'],
  'Faults of workers, as long as they are active:': ['workers'],
};

const WIDTH = Math.max(...faultNames.map((name) => name.length)) + 2;

/** The list of all faults, for the help of the command. */
export const FAULT_HELP = Object.entries(TITLES)
  .map(([title, kinds]) => {
    const names = faultNames.filter((name) => kinds.includes(faultKinds[name]));
    return `\n${title}\n${names.map((name) => `  ${name.padEnd(WIDTH)}${TEXTS[name]}\n`).join('')}`;
  })
  .join('');
