import { inspect } from 'node:util';
import { version } from '../../package.json';
import { joined, line, paint, type Text } from './Text.js';

/** The facts that the banner shows. */
export interface BannerFacts {
  readonly baseUrl: string;
  readonly endpoints: readonly string[];
  /** An input for the first endpoint, for the lines to paste. */
  readonly input: Readonly<Record<string, string>>;
  /** Where the endpoints' work comes from, in a few words. */
  readonly source: string;
  /** Whether requests need a key. */
  readonly keys: boolean;
  /** The seed of ids and faults. */
  readonly seed: string;
  /** The address that is bound, if others than this machine can reach it. */
  readonly reachableAt?: string;
}

/** The first lines of output: the base URL, the dashboard's address, the endpoints, and lines to paste for each kind of client and worker. */
export function banner(facts: BannerFacts): Text {
  const { baseUrl, endpoints, keys, input } = facts;
  const [id = 'demo'] = endpoints;
  const key = keys ? 'YOUR_KEY' : 'any';
  const authorization = keys ? ` -H 'authorization: Bearer ${key}'` : '';
  const block = (title: string, ...lines: string[]): Text =>
    joined([paint('bold', title), ...lines.map((one) => `  ${one}`)], '\n');
  const worker = (path: string): string => `'${baseUrl}/${id}/${path}?gpu=local'`;
  return joined(
    [
      line`${paint('bold', 'runpod-rx')} ${version}  ${paint('dim', 'a local RunPod; Ctrl-C stops it')}`,
      where(facts),
      ...warning(facts),
      block('curl', `curl -s ${baseUrl}/${id}/runsync${authorization} -d '${JSON.stringify({ input })}'`),
      block(
        'runpod-rx',
        `export RUNPOD_BASE_URL=${baseUrl} RUNPOD_API_KEY=${key}`,
        `console.log(await result(runpod().endpoint('${id}').job({ input: ${inspect(input)} })))`,
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
    ],
    '\n\n',
  );
}

function where({ baseUrl, endpoints, source, seed }: BannerFacts): Text {
  return joined(
    [
      line`${paint('dim', 'base URL ')}  ${paint('cyan', baseUrl)}`,
      line`${paint('dim', 'dashboard')}  ${paint('cyan', baseUrl.replace(/v2$/, ''))}  ${paint('dim', 'in a browser')}`,
      line`${paint('dim', 'endpoints')}  ${endpoints.join(', ')}  ${paint('dim', source)}`,
      line`${paint('dim', 'seed     ')}  ${seed}  ${paint('dim', '--seed repeats ids and faults')}`,
    ],
    '\n',
  );
}

function warning({ reachableAt, keys }: BannerFacts): readonly Text[] {
  if (reachableAt === undefined) return [];
  const who = keys ? 'Everyone on the network who has a key' : 'Everyone on the network';
  const advice = keys ? '' : ' --key asks for a key.';
  const words = `${who} can run the handlers and read inputs and outputs: it listens on ${reachableAt}.${advice}`;
  return [line`${paint('yellow', 'warning')}  ${words}`];
}
