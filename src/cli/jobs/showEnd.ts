import { jobError, type TerminalSnapshot } from '../../index.js';
import { seconds } from '../seconds.js';
import { line, paint } from '../Text.js';
import { EXIT } from './exitCodes.js';
import { failureOf } from './failureOf.js';
import type { Session } from './Session.js';

/** How the end of a job is shown. */
export interface EndOptions {
  /** Whether its chunks were the output. */
  readonly withoutResult?: boolean;
}

/** Writes the result of a job that is over, and says how it went; returns the exit code. */
export function showEnd(
  session: Session,
  snapshot: TerminalSnapshot,
  { withoutResult = false }: EndOptions = {},
): number {
  const { status } = snapshot;
  if (!withoutResult && session.json) session.print(snapshot.raw);
  else if (!withoutResult && status === 'COMPLETED') session.print(snapshot.output);
  const color = status === 'COMPLETED' ? 'green' : 'red';
  session.say(line`${paint(color, status.toLowerCase().replace('_', ' '))}  ${paint('dim', timesOf(snapshot))}`);
  if (status === 'COMPLETED') return EXIT.done;
  if ('error' in snapshot && snapshot.error?.traceback) session.say(paint('dim', snapshot.error.traceback));
  session.fail(failureOf(jobError(snapshot)));
  return EXIT.failed;
}

function timesOf({ delayTime, executionTime }: TerminalSnapshot): string {
  const queued = delayTime === undefined ? [] : [`queued for ${seconds(delayTime)}`];
  const ran = executionTime === undefined ? [] : [`ran for ${seconds(executionTime)}`];
  return [...queued, ...ran].join(', ');
}
