import type { JsonText } from '../emulator/server/dashboard/FeedEvent.js';
import { element } from './dom.js';
import { jsonBlock } from './jsonBlock.js';

/** The members of an error that a worker reports. */
interface WorkerError {
  readonly error_type?: unknown;
  readonly error_message?: unknown;
  readonly error_traceback?: unknown;
}

/** A job's error: its message and its traceback, if it is one that a worker reported, and otherwise its text. */
export function errorBlock(error: JsonText): readonly HTMLElement[] {
  const value = parsed(error.text);
  const reported = typeof value === 'string' ? (parsed(value) as WorkerError | undefined) : undefined;
  if (typeof reported?.error_message !== 'string') {
    return typeof value === 'string' ? [element('pre', { class: 'text' }, value)] : jsonBlock(error);
  }
  const { error_type: type, error_message: message, error_traceback: traceback } = reported;
  return [
    element('p', { class: 'problem' }, typeof type === 'string' ? `${nameOf(type)}: ${message}` : message),
    ...(typeof traceback === 'string' ? [element('pre', { class: 'text' }, traceback)] : []),
  ];
}

/** The name in `<class 'ValueError'>`, as Python writes a type. */
function nameOf(type: string): string {
  return /^<class '(.+)'>$/.exec(type)?.[1] ?? type;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
