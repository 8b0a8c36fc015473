import type { FaultKind } from '../emulator/faults/faultKinds.js';
import type { FaultName } from '../emulator/index.js';

/** What each fault does, in a line. */
export const FAULT_TEXTS: Readonly<Record<FaultName, string>> = {
  'connection-refused': 'No connection is made.',
  'reset-before': 'The connection breaks before the request takes effect.',
  'reset-after': 'The request takes effect, then the connection breaks.',
  'no-answer': 'The request takes effect, and no answer ever comes.',
  latency: 'Requests arrive late.',
  'slow-answer': 'The answer comes late.',
  'slow-body': 'The answer arrives piece by piece.',
  'truncated-answer': 'The second half of the answer is missing.',
  'html-502': '502 from the edge, with a page of HTML.',
  'empty-502': '502 from the edge, without a body.',
  'empty-429': '429, as if a limit were exceeded.',
  'bare-error': '200 with an error in place of the job.',
  answer: 'An answer of your own.',
  'dropped-stream': 'Chunks are taken, and the answer with them is lost.',
  'transient-404': 'A new job cannot be found at first.',
  'lost-worker': 'The worker disappears during the run.',
  'json-error': 'The job fails with an error that is JSON in a string.',
  'no-output': 'The job completes without an output.',
  'late-progress': 'A late progress update shows a finished job as running.',
  'expired-result': 'The result can no longer be read soon after the end.',
  'duplicate-webhook': 'The webhook is delivered twice.',
  'no-workers': 'No worker starts, and idle workers go away.',
  'throttled-workers': 'Workers wait for a free GPU.',
  'unhealthy-workers': 'Workers crash as they start.',
};

/** The headings of the page's list of faults, in its order. */
export const FAULT_GROUPS: readonly (readonly [title: string, kinds: readonly FaultKind[]])[] = [
  ['Workers', ['workers']],
  ['Jobs', ['job']],
  ['Requests', ['request', 'latency', 'chunks']],
];

/** How a member of a rule is typed in. */
export type MemberKind = 'number' | 'numbers' | 'names' | 'text' | 'json' | 'flag';

/** The members of a rule: how each is typed in, and what it says. */
export const MEMBERS = {
  endpoint: ['text', 'only this endpoint'],
  on: ['names', 'operations, such as run, status'],
  probability: ['number', '0 to 1'],
  times: ['number', 'at most so often'],
  nth: ['numbers', 'the n-th alone, such as 2, 5'],
  burst: ['number', 'so many in a row'],
  after: ['number', 'milliseconds'],
  for: ['number', 'milliseconds'],
  jitter: ['number', 'milliseconds, at most'],
  workers: ['number', 'how many; all if empty'],
  accepted: ['flag', 'takes effect all the same'],
  retryAfter: ['text', 'seconds'],
  message: ['text', 'the error’s text'],
  status: ['number', '200 to 599'],
  headers: ['json', 'an object, as JSON'],
  body: ['json', 'as JSON'],
} as const satisfies Readonly<Record<string, readonly [MemberKind, string]>>;

/** The name of a member that can be typed in. */
export type MemberName = keyof typeof MEMBERS;

/** The members that each fault has of its own. */
const OWN_MEMBERS: Readonly<Partial<Record<FaultName, readonly MemberName[]>>> = {
  latency: ['after', 'jitter'],
  'slow-answer': ['after'],
  'slow-body': ['for'],
  'html-502': ['accepted'],
  'empty-502': ['accepted'],
  'empty-429': ['retryAfter', 'accepted'],
  'bare-error': ['message', 'accepted'],
  answer: ['status', 'headers', 'body', 'accepted'],
  'transient-404': ['for'],
  'lost-worker': ['after'],
  'json-error': ['message'],
  'late-progress': ['after', 'for'],
  'expired-result': ['after'],
};

/** The members that a fault uses, in the order of its form. */
export function membersOf(fault: FaultName, kind: FaultKind): readonly MemberName[] {
  if (kind === 'workers') return ['endpoint', 'workers'];
  return [...(OWN_MEMBERS[fault] ?? []), 'endpoint', 'on', 'probability', 'times', 'nth', 'burst'];
}
