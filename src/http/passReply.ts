import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { CallOptions } from '../types/callOptions.js';
import type { Reply } from '../types/Transport.js';
import { redact, type CallState } from './CallState.js';

/** A secret with fewer characters may be a part of any word: an answer without that word would be no JSON any more. */
const MIN_SECRET = 8;

/** A function that passes answers to the caller's `onReply`, without the secrets of the call. It throws nothing. */
export function passReply(
  onReply: NonNullable<CallOptions['onReply']>,
  state: Pick<CallState, 'secrets'>,
): (reply: Reply) => void {
  return ({ status, headers, text }) => {
    const secrets = state.secrets.filter(({ length }) => length >= MIN_SECRET);
    const clean = Object.entries(headers).map(([name, value]) => [name, redact(value, { secrets })]);
    try {
      onReply({ status, headers: Object.fromEntries(clean) as Reply['headers'], text: redact(text, { secrets }) });
    } catch (error) {
      reportUnhandled(error);
    }
  };
}
