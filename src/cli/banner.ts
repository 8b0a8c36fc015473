import { version } from '../../package.json';
import type { Paint } from './paint.js';

/** The facts that the banner shows. */
export interface BannerFacts {
  readonly baseUrl: string;
  readonly endpoints: readonly string[];
  /** Where the endpoints' work comes from, in a few words. */
  readonly source: string;
  /** Whether requests need a key. */
  readonly keys: boolean;
}

/** The first lines of output: the base URL, the endpoints, and lines to paste for each kind of client and worker. */
export function banner({ baseUrl, endpoints, source, keys }: BannerFacts, paint: Paint): string {
  const [id = 'demo'] = endpoints;
  const key = keys ? 'YOUR_KEY' : 'any';
  const authorization = keys ? ` -H 'authorization: Bearer ${key}'` : '';
  const block = (title: string, ...lines: string[]): string =>
    [paint('bold', title), ...lines.map((line) => `  ${line}`)].join('\n');
  const worker = (path: string): string => `'${baseUrl}/${id}/${path}?gpu=local'`;
  return [
    `${paint('bold', 'runpod-rx')} ${version}  ${paint('dim', 'a local RunPod; Ctrl-C stops it')}`,
    `${paint('dim', 'base URL ')}  ${paint('cyan', baseUrl)}\n${paint('dim', 'endpoints')}  ${endpoints.join(', ')}  ${paint('dim', source)}`,
    block('curl', `curl -s ${baseUrl}/${id}/runsync${authorization} -d '{"input":{"text":"hello"}}'`),
    block(
      'runpod-rx',
      `export RUNPOD_BASE_URL=${baseUrl} RUNPOD_API_KEY=${key}`,
      `runpod().endpoint('${id}').runSync({ input: { text: 'hello' } }).subscribe(console.log)`,
    ),
    block('runpod-sdk (JavaScript)', `runpodSdk('${key}', { baseUrl: '${baseUrl}' }).endpoint('${id}')`),
    block('runpod (Python), as a client', `export RUNPOD_ENDPOINT_BASE_URL=${baseUrl} RUNPOD_API_KEY=${key}`),
    block(
      'runpod (Python), as a worker',
      `export RUNPOD_WEBHOOK_GET_JOB=${worker('job-take/$ID')}`,
      `export RUNPOD_WEBHOOK_POST_OUTPUT=${worker('job-done/$RUNPOD_POD_ID/$ID')}`,
      `export RUNPOD_WEBHOOK_POST_STREAM=${worker('job-stream/$RUNPOD_POD_ID/$ID')}`,
      `export RUNPOD_WEBHOOK_PING=${worker('ping/$RUNPOD_POD_ID')}`,
      // The worker SDK checks memory, disk, network and GPU at its start. These checks would end the worker on a laptop.
      'export RUNPOD_SKIP_AUTO_SYSTEM_CHECKS=true RUNPOD_SKIP_GPU_CHECK=true',
      `export RUNPOD_POD_ID=worker-1 RUNPOD_ENDPOINT_ID=${id} RUNPOD_AI_API_KEY=${key} RUNPOD_PING_INTERVAL=10000`,
    ),
    '',
  ].join('\n\n');
}
