import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { CallOptions } from '../types/callOptions.js';
import type { Reply } from '../types/Transport.js';
import { redact, type CallState } from './CallState.js';

/** A function that passes answers to the caller's `onReply`, without the secrets of the call. It throws nothing. */
export function passReply(
  onReply: NonNullable<CallOptions['onReply']>,
  state: Pick<CallState, 'secrets'>,
): (reply: Reply) => void {
  return ({ status, headers, text }) => {
    const clean = Object.entries(headers).map(([name, value]) => [name, redact(value, state)]);
    try {
      onReply({ status, headers: Object.fromEntries(clean) as Reply['headers'], text: redact(text, state) });
    } catch (error) {
      reportUnhandled(error);
    }
  };
}
