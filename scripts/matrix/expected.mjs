import { deepStrictEqual } from 'node:assert/strict';

/** What the program sees in every row. */
const everywhere = {
  submit: 'HELLO',
  runSync: 'COMPLETED',
  stream: ['a', 'b', 'c'],
  cancelled: 1,
  failed: 'job_failed',
  pipeline: 4,
  emulated: 'HELLO',
};

/** Whether a connection was refused before anything was sent is known on Node and Bun; elsewhere it is not said. */
const REFUSED = { known: 'connection no', unknown: 'submission_unknown unknown' };

/** Throws where a result is not what the program must see. */
export function check(result, { page = false, refused = 'known', fetchTransport = 'works' } = {}) {
  deepStrictEqual(result, { ...everywhere, refused: REFUSED[refused], keyRefused: page, fetchTransport });
}
