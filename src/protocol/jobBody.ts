import type { JobPolicy, JobRequest, S3Config } from '../types/JobRequest.js';
import { checkJson } from './checkJson.js';
import {
  anything,
  checkOptions,
  copyable,
  durationBetween,
  flag,
  nested,
  secret,
  type Checks,
} from './checkOptions.js';
import { kindOf, must, type Issue } from './checks.js';
import { isPlain, isRecord } from './json.js';
import { utf8Length } from './utf8Length.js';
import { EXECUTION_TIMEOUT, MAX_RUN_BODY, MAX_RUNSYNC_BODY, TTL } from './limits.js';

const POLICY: Checks<JobPolicy> = {
  executionTimeout: durationBetween(EXECUTION_TIMEOUT.min, EXECUTION_TIMEOUT.max),
  ttl: durationBetween(TTL.min, TTL.max),
  lowPriority: flag,
};

const S3_CONFIG: Checks<S3Config> = {
  accessId: secret,
  accessSecret: secret,
  bucketName: secret,
  endpointUrl: secret,
  objectPath: secret,
};

const REQUEST: Checks<JobRequest> = {
  input: anything,
  webhook: (value, field) => {
    const ok = typeof value === 'string' && /^https?:\/\/./i.test(value);
    // Not quoted: a webhook's URL may hold a token.
    return ok ? [] : [{ field, given: kindOf(value), rule: 'must be an http or https URL' }];
  },
  policy: nested(POLICY),
  s3Config: nested(S3_CONFIG),
};

/** A request that can be copied: with what it, its `policy` and its `s3Config` inherit. */
export function copyableRequest<T extends JobRequest<object>>(request: T): T {
  const { policy, s3Config, ...others } = copyable<JobRequest<object>>(request, REQUEST);
  return {
    ...others,
    policy: policy && copyable(policy, POLICY),
    s3Config: s3Config && copyable(s3Config, S3_CONFIG),
  } as T;
}

/** Checks a submission and writes its body. The body is empty where the request cannot be written as JSON. */
export function jobBody(
  request: JobRequest<object>,
  operation: 'run' | 'runsync',
  { allowEmptyInput = false }: { readonly allowEmptyInput?: boolean | undefined } = {},
): { readonly body: string; readonly issues: readonly Issue[] } {
  const given = isRecord(request) ? request : {};
  const max = operation === 'run' ? MAX_RUN_BODY : MAX_RUNSYNC_BODY;
  try {
    const issues = [...checkInput(given, max, allowEmptyInput), ...checkOptions(given, REQUEST)];
    if (issues.length) return { body: '', issues };
    const body = JSON.stringify(given);
    return { body, issues: checkSize(body, max) };
  } catch (error) {
    // A proxy may throw anywhere, and the text may be longer than JavaScript's strings can be.
    return { body: '', issues: must(false, 'input', error, 'be JSON') };
  }
}

function checkInput(request: Readonly<Record<string, unknown>>, max: number, allowEmpty: boolean): Issue[] {
  const { input } = request;
  // A toJSON method could put anything into the body after these checks.
  const isFixed = !('toJSON' in request) && isPlain(input) && !('toJSON' in Object(input));
  if (!isFixed) return must(false, 'input', input, 'be a plain object, as in run({ input: { … } })');
  const isEmpty = Object.values(Object(input) as object).every((value) => value === undefined);
  const rule = 'not be empty: workers do not report such a job (allowEmptyInput sends it)';
  // Each value takes a byte at least.
  return [...must(allowEmpty || !isEmpty, 'input', '{}', rule), ...checkJson('input', input, max)];
}

function checkSize(body: string, max: number): Issue[] {
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most bodies need not be encoded to be measured.
  const size = body.length * 3 <= max ? 0 : utf8Length(body);
  return must(size <= max, 'body', `${size} bytes`, `be at most ${max}: store large data elsewhere and send a URL`);
}
