import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { emulate } from './emulate.js';
import type { EmulateOptions } from './EmulateOptions.js';
import type { FaultRule } from '../emulator/index.js';
import { count, duration, endpointId, faults, limits, port, speed } from './arguments.js';
import { switchFaults, type FaultsOptions } from './switchFaults.js';

const EXAMPLES = `
The handlers file exports as default what the workers run: one handler, or an object of endpoints by id.

  // handlers.mjs
  export default {
    upper: ({ input }) => input.text.toUpperCase(),
    words: { handler: async function* ({ input }) { yield* input.text.split(' '); }, aggregate: true, workers: 1 },
  };

It is loaded again whenever it changes. Without it, the endpoint answers every job with its input.

Examples:
  $ runpod-rx emulate
  $ runpod-rx emulate handlers.mjs --port 0 --cold-start 8s --speed 10
  $ runpod-rx emulate --faults empty-502=0.05,lost-worker=0.01 --seed 42
  $ runpod-rx emulate --workers 0     (only workers of other processes, such as one in Python)
`;

const FAULTS_EXAMPLES = `
Examples:
  $ runpod-rx faults                            (shows what is there, and how often it struck)
  $ runpod-rx faults empty-502=0.05,no-workers
  $ runpod-rx faults --remove 2
  $ runpod-rx faults --clear
`;

const DEFAULT_PORT = 8008;

/** The command line `runpod-rx`. */
export function program(process: NodeJS.Process): Command {
  const command = new Command('runpod-rx')
    .description('Tools for the queue API of RunPod Serverless.')
    .version(version)
    .showHelpAfterError('(--help says more)');
  command
    .command('emulate')
    .summary('run a local RunPod')
    .description('Runs a local RunPod: the queue API over HTTP on 127.0.0.1, until Ctrl-C.')
    .argument('[handlers]', 'a JavaScript module with the handlers')
    .option('-p, --port <number>', 'where to listen; 0 is any free port', port, DEFAULT_PORT)
    .option('-e, --endpoint <id>', 'the id of the endpoint, where the file exports one handler', endpointId, 'demo')
    .option(
      '-w, --workers <number>',
      'most workers at once, per endpoint; 0 for none of this process (default: 3)',
      count,
    )
    .option('--cold-start <duration>', 'how long a worker takes to start: 800ms, 30s, 2m (default: 0ms)', duration)
    .addOption(
      new Option('--limits <which>', 'the rate limits: "documented", or "none"')
        .argParser(limits)
        .default('documented' as const),
    )
    .option(
      '-k, --key <key>',
      'a key that is let in; may be repeated (default: any)',
      (key: string, keys?: readonly string[]) => [...(keys ?? []), key],
    )
    .option('--faults <list>', 'what goes wrong: name[=probability], … or the rules as JSON', faults)
    .option('--seed <text>', 'decides ids and faults', '1')
    .option('--cors [origin]', 'lets pages of this origin call; of any origin, if none is named')
    .option('--speed <factor>', 'how fast time passes: 10 is ten times as fast', speed, 1)
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, options: EmulateOptions) => emulate(file, options, process));
  command
    .command('faults')
    .summary('show and switch the faults of a local RunPod that runs')
    .description('Shows the faults of a local RunPod that runs on this machine, after adding or taking away some.')
    .argument('[list]', 'what goes wrong from now on: name[=probability], … or the rules as JSON', faults)
    .option('-p, --port <number>', 'where it listens', port, DEFAULT_PORT)
    .option('-c, --clear', 'takes away all that are there')
    .option('-r, --remove <id>', 'takes one away; may be repeated', (id: string, ids?: readonly number[]) => [
      ...(ids ?? []),
      count(id),
    ])
    .addHelpText('after', FAULTS_EXAMPLES)
    .action((rules: readonly FaultRule[] | undefined, options: FaultsOptions) => switchFaults(rules, options, process));
  return command;
}
