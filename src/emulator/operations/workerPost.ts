import { MAX_RUNSYNC_BODY } from '../../protocol/limits.js';
import { exceeds } from '../model/bytes.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import { readMembers } from '../model/relayed.js';

export type PostMembers = Readonly<Record<string, unknown>>;

/** The members of a worker's post, or the reason why the post is refused. */
export type WorkerPost =
  | { readonly kind: 'members'; readonly members: PostMembers }
  | { readonly kind: 'too-large' | 'unreadable'; readonly reason: string };

/** Largest post of a worker, in bytes. */
const MAX_POST = MAX_RUNSYNC_BODY;

/** Reads a worker's post as a JSON object. Ignores the content type, since the worker SDK declares a form. */
export function readPost({ body = '', size = 0 }: EmulatorRequest): WorkerPost {
  if (size > MAX_POST || exceeds(body, MAX_POST)) {
    return { kind: 'too-large', reason: `body: exceeded max body size of ${MAX_POST / 1024 / 1024}MiB` };
  }
  try {
    const value: unknown = readMembers(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { kind: 'members', members: value as PostMembers }; // checked just above
    }
    return { kind: 'unreadable', reason: 'body: must be an object' };
  } catch {
    return { kind: 'unreadable', reason: 'body: invalid json' };
  }
}
