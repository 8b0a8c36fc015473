import { InvalidArgumentError } from 'commander';
import { isOrigin } from '../emulator/server/cors.js';
import { bracketed, hostName } from '../emulator/server/hostName.js';
import { readFaults, type FaultRule } from '../emulator/index.js';
import { checkJobId } from '../protocol/checks.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A port number. */
export function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
}

/** A whole number, 0 or more. */
export function count(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 0 or more.');
}

/** A whole number, 1 or more. */
export function positive(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 1 or more.');
}

/** What a second costs. */
export function price(text: string): number {
  if (/^\d*\.?\d+(e-\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number, such as 0.00031.');
}

/** Reads a time such as `800ms`, `30s` or `2m` as milliseconds. Every number but 0 says its unit. */
export function duration(text: string): number {
  const [, number = '', unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number && unit) return Number(number) * (UNITS[unit] ?? 1);
  if (number && Number(number) === 0) return 0;
  if (number)
    throw new InvalidArgumentError(`It must say its unit: ${number}ms, ${number}s, ${number}m or ${number}h.`);
  throw new InvalidArgumentError('It must be a time such as 800ms, 30s or 2m.');
}

/** The address or name of a machine. */
export function host(text: string): string {
  if (hostName(bracketed(text)) !== undefined) return text;
  throw new InvalidArgumentError('It must be an address or a name, without a port.');
}

/** An origin, added to those before; `true` stands for all. */
export function origins(text: string, before: true | readonly string[] = []): true | readonly string[] {
  if (isOrigin(text)) return before === true || [...before, text];
  throw new InvalidArgumentError(
    'It must be an origin as browsers send it, such as http://localhost:5173; without a value, every origin is let in.',
  );
}

/** The speed of the emulator's clock, as a factor of real time. */
export function speed(text: string): number {
  const factor = Number(text);
  if (text.trim() !== '' && factor >= 0.01 && factor <= 1_000) return factor;
  throw new InvalidArgumentError('It must be a number from 0.01 to 1000.');
}

/** The id of a job. */
export function jobId(text: string): string {
  const [issue] = checkJobId('id', text);
  if (issue) throw new InvalidArgumentError(`It ${issue.rule}.`);
  return text;
}

/** The id of an endpoint. */
export function endpointId(text: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(text)) return text;
  throw new InvalidArgumentError('It may hold letters, digits, - and _ only.');
}

/** The rate limits: `documented`, or `none`. */
export function limits(text: string): 'documented' | false {
  if (text === 'documented') return text;
  if (text === 'none') return false;
  throw new InvalidArgumentError('It must be "documented" or "none".');
}

/** Faults as `name` or `name=probability`, separated by commas, or as JSON. */
export function faults(text: string): readonly FaultRule[] {
  try {
    return readFaults(/^\s*[[{]/.test(text) ? JSON.parse(text) : text.split(',').map(faultOf));
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function faultOf(text: string): unknown {
  const [fault = '', probability] = text.split('=', 2).map((part) => part.trim());
  return { fault, ...(probability !== undefined && { probability: probability === '' ? NaN : Number(probability) }) };
}
