import { codedError, type CodedError } from '../../index.js';
import { EXIT } from './exitCodes.js';

/** What went wrong, as a command says it. */
export interface Failure {
  readonly code: string;
  /** A sentence for people, without the full stop. */
  readonly message: string;
  readonly exitCode: number;
  readonly jobId?: string;
}

/** What a command says of an error, whatever it is. */
export function failureOf(error: unknown): Failure {
  const coded = codedError(error);
  const [exitCode, message] = judge(coded);
  return { code: coded.code, message, exitCode, ...(coded.jobId !== undefined && { jobId: coded.jobId }) };
}

function judge(error: CodedError): readonly [exitCode: number, message: string] {
  const { message, endpointId = '?', jobId = '?' } = error;
  switch (error.code) {
    case 'configuration':
    case 'validation':
    case 'body_too_large':
      return [EXIT.usage, message];
    case 'authentication':
      return [EXIT.refused, `the service does not accept the key: check RUNPOD_API_KEY, or --key-file (${message})`];
    case 'not_found':
      return [EXIT.refused, `there is no endpoint ${endpointId}, or the key may not use it (${message})`];
    case 'job_not_found':
    case 'job_expired':
      return [
        EXIT.refused,
        `endpoint ${endpointId} does not know the job ${jobId}: a result is kept for 30 minutes, and for 1 minute after runsync`,
      ];
    case 'rate_limit':
    case 'http':
    case 'response':
      return [EXIT.refused, message];
    case 'connection':
    case 'request_timeout':
      return [EXIT.unreachable, `the service cannot be reached: ${message}`];
    case 'submission_unknown':
      return [EXIT.unknown, message];
    default:
      return [EXIT.failed, message];
  }
}
