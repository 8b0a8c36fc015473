import { EXECUTION_TIMEOUT, MAX_RUN_BODY, MAX_RUNSYNC_BODY, TTL } from '../../protocol/limits.js';
import type { JobPolicy, S3Config } from '../../types/JobRequest.js';
import { badRequest, type Answer } from '../model/answers.js';
import { exceeds } from '../model/bytes.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { Submission } from '../model/JobModel.js';
import { readMembers, valueOf } from '../model/relayed.js';

type JsonObject = Record<string, unknown>;

/** Thrown by the nested checks of this file, and caught in `submissionOf`. */
class Refused extends Error {}

/** Reads the body of `/run` or `/runsync`. Returns the submission, or an answer that refuses it. */
export function readSubmission(request: EmulatorRequest, operation: 'run' | 'runsync'): Submission | Answer {
  const text = request.body ?? '';
  const max = operation === 'run' ? MAX_RUN_BODY : MAX_RUNSYNC_BODY;
  if ((request.size ?? 0) > max || exceeds(text, max)) {
    return badRequest(`body: exceeded max body size of ${max / 1024 / 1024}MiB`);
  }
  let body: unknown;
  try {
    body = readMembers(text);
  } catch {
    return badRequest('body: invalid json');
  }
  const read = submissionOf(body, operation);
  return typeof read === 'string' ? badRequest(read) : read;
}

/** Reads a submitted job from JSON that `readMembers` has parsed. Returns the reason as text if a member is wrong. */
export function submissionOf(value: unknown, operation: 'run' | 'runsync'): Submission | string {
  try {
    const body = objectOf(value, 'body');
    if (!body) throw new Refused('body: must be an object');
    const input = objectOf(valueOf(body.input), 'input');
    const webhook = textOf(body.webhook, 'webhook');
    // Not checked: only the worker reads it.
    const s3Config = objectOf(valueOf(body.s3Config), 's3Config') as S3Config | undefined;
    return {
      operation,
      policy: policyOf(objectOf(valueOf(body.policy), 'policy') ?? {}),
      ...(input && { input, wireInput: body.input }),
      ...(webhook !== undefined && { webhook }),
      ...(s3Config && { s3Config }),
    };
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** `null` counts as absent. */
function objectOf(value: unknown, name: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw new Refused(`${name}: must be an object`);
  return value as JsonObject; // checked just above
}

function textOf(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new Refused(`${name}: must be a string`);
  return value;
}

function policyOf(policy: JsonObject): JobPolicy {
  const executionTimeout = durationOf(policy.executionTimeout, 'policy.executionTimeout', EXECUTION_TIMEOUT);
  const ttl = durationOf(policy.ttl, 'policy.ttl', TTL);
  return {
    ...(executionTimeout !== undefined && { executionTimeout }),
    ...(ttl !== undefined && { ttl }),
    ...(policy.lowPriority === true && { lowPriority: true }),
  };
}

function durationOf(value: unknown, name: string, { min, max }: { min: number; max: number }): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new Refused(`${name}: must be between ${min} and ${max}`);
  }
  return value;
}
