import type { EmulatorState, EndpointState } from '../emulator/index.js';
import { joined, line, paint, type Text } from './Text.js';

/** The status lines: one for each endpoint, and one for the requests. */
export function statusLines({ endpoints, requests }: EmulatorState, perSecond: number): Text[] {
  const width = Math.max(...Object.keys(endpoints).map((id) => id.length), 'requests'.length);
  const rows = Object.entries(endpoints).map(
    ([id, state]) => line`${paint('bold', id.padEnd(width))}  ${endpointLine(state)}`,
  );
  const counts = [`${perSecond}/s`, `${requests.total} in all`];
  if (requests.aborted > 0) counts.push(`${requests.aborted} aborted`);
  if (requests.failed > 0) counts.push(`${requests.failed} cut off`);
  return ['', ...rows, `${'requests'.padEnd(width)}  ${counts.join(' · ')}`];
}

function endpointLine({ jobs, workers }: EndpointState): Text {
  const failed = `${jobs.failed} failed`;
  const parts = [
    `${jobs.inQueue} queued`,
    `${jobs.inProgress} running`,
    `${jobs.completed} completed`,
    jobs.failed > 0 ? paint('red', failed) : failed,
  ];
  const kinds = Object.entries(workers).filter(([kind, count]) => kind !== 'ready' && count > 0);
  const pool = kinds.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none';
  return line`${joined(parts, ' · ')}  ${paint('dim', `workers: ${pool}`)}`;
}
