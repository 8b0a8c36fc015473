import type { PipelineTotals } from '../../index.js';
import { seconds } from '../seconds.js';
import { line, paint, type Text } from '../Text.js';

/** How wide the bar is, in characters. */
const WIDTH = 24;

/** What the bar shows beside the totals. */
export interface BarFacts {
  readonly total: number | undefined;
  /** Seconds that are billed so far. */
  readonly billedSeconds: number;
  /** What a second costs, if that is known. */
  readonly pricePerSecond: number | undefined;
}

/** How far a pipeline is, on one line. */
export function pipelineBar(totals: PipelineTotals, { total, billedSeconds, pricePerSecond }: BarFacts): Text {
  const { done, failed, inFlight, rate } = totals;
  const ended = done + failed;
  const bar = total === undefined ? '' : line`${drawn(ended / Math.max(total, 1))} `;
  const counts = total === undefined ? `${ended} done` : `${ended}/${total}`;
  const failures = failed > 0 ? line`  ${paint('red', `${failed} failed`)}` : '';
  const remaining = total !== undefined && rate > 0 ? `, ${seconds(((total - ended) / rate) * 1_000)} left` : '';
  const cost = pricePerSecond === undefined ? '' : `  ≈ ${(billedSeconds * pricePerSecond).toFixed(2)}`;
  return line`${bar}${counts}${failures}  ${paint('dim', `${inFlight} at work, ${rate.toFixed(1)}/s${remaining}${cost}`)}`;
}

function drawn(fraction: number): Text {
  const full = Math.floor(Math.min(1, fraction) * WIDTH);
  return line`${paint('green', '█'.repeat(full))}${paint('dim', '░'.repeat(WIDTH - full))}`;
}
