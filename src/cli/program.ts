import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { emulate } from './emulate.js';
import type { EmulateOptions } from './EmulateOptions.js';
import type { FaultRule } from '../emulator/index.js';
import { render } from './Text.js';
import { addJobCommands } from './jobs/addJobCommands.js';
import { EXIT } from './jobs/exitCodes.js';
import { count, duration, endpointId, faults, host, limits, origins, port, speed } from './arguments.js';
import { FAULT_HELP } from './faultHelp.js';
import { helpText } from './helpText.js';
import { switchFaults, type FaultsOptions } from './switchFaults.js';

const EXAMPLES = `
The default export of the handlers file is one handler, or an object of endpoints by id.

  // handlers.mjs
  export default {
    upper: ({ input }) => input.prompt.toUpperCase(),
    words: {
      handler: async function* ({ input }) { yield* input.prompt.split(' '); },
      aggregate: true,
      workers: 1,
    },
  };

Web pages of other origins, and requests addressed to a name that is not this machine's, are refused with 403: otherwise
every page that a browser on this machine shows could run the handlers. --cors and --allow-host let them in. With --host
0.0.0.0, all IP addresses and names without a dot, such as those of containers, are let in, too.

The file is loaded again when it changes, also where it is a link. A change of an endpoint's settings, or of a module that
the file imports, needs a restart. Without a file, there is one endpoint, and the output of a job is { "echo": input }.

Examples:
  $ runpod-rx emulate
  $ runpod-rx emulate --sample     (my-endpoint, my-stream and the other endpoints of the documentation)
  $ runpod-rx emulate handlers.mjs --port 0 --cold-start 8s --speed 10
  $ runpod-rx emulate --faults empty-502=0.05,lost-worker=0.01 --seed 42
  $ runpod-rx emulate --host 0.0.0.0 --key secret     (in a container: http://SERVICE:8008/v2)
  $ runpod-rx emulate --workers 0     (only workers of other processes, such as a worker in Python)
`;

const FAULTS_EXAMPLES = `
Examples:
  $ runpod-rx faults                              (shows the active faults, and how often each struck)
  $ runpod-rx faults empty-502=0.05,no-workers    (adds two faults)
  $ runpod-rx faults lost-worker --clear          (replaces all faults)
  $ runpod-rx faults --remove 2
  $ runpod-rx faults --clear
`;

const DEFAULT_PORT = 8008;

/** The command line `runpod-rx`. */
export function program(process: NodeJS.Process): Command {
  const command = new Command('runpod-rx')
    .description('Tools for the queue API of RunPod Serverless.')
    .version(version)
    // Help and the version end well; anything else that ends here are wrong arguments.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage))
    // Messages quote the arguments.
    .configureOutput({
      writeOut: (text) => process.stdout.write(render(text, false)),
      writeErr: (text) => process.stderr.write(render(text, false)),
    })
    .showHelpAfterError('(--help says more)');
  addJobCommands(command, process);
  command
    .command('emulate')
    .summary('run a local RunPod')
    .description('Runs a local RunPod: the queue API over HTTP on this machine, until Ctrl-C.')
    .argument('[handlers]', 'a JavaScript module that exports the handlers')
    .option('-p, --port <number>', 'the port to listen on; 0 takes any free port', port, DEFAULT_PORT)
    .option(
      '--host <address>',
      'the address to listen on; 0.0.0.0 in a container. Everyone who can reach it can run the handlers: see --key',
      host,
      '127.0.0.1',
    )
    .option(
      '--allow-host <name>',
      'a name that requests may be addressed to, besides localhost and --host; may be repeated',
      (name: string, names?: readonly string[]) => [...(names ?? []), host(name)],
    )
    .option(
      '-e, --endpoint <id>',
      'the id of the endpoint, if there is no file or it exports one handler',
      endpointId,
      'demo',
    )
    .addOption(
      new Option(
        '-s, --sample',
        'runs the endpoints that the documentation uses: my-endpoint, my-stream and others',
      ).conflicts('endpoint'),
    )
    .option(
      '-w, --workers <number>',
      'maximum number of workers at once, per endpoint; 0: no workers in this process (default: as in the file, or 3)',
      count,
    )
    .option(
      '--cold-start <duration>',
      'how long a worker takes to start, with its unit: 800ms, 30s, 2m (default: as in the file, or 0ms)',
      duration,
    )
    .addOption(
      new Option('--limits <which>', 'the rate limits: "documented", or "none"')
        .argParser(limits)
        .default('documented' as const),
    )
    .option(
      '-k, --key <key>',
      'a key that requests may use; may be repeated (default: requests need no key)',
      (key: string, keys?: readonly string[]) => [...(keys ?? []), key],
    )
    .option('--faults <list>', 'the faults: name[=probability], … or rules as JSON; see below', faults)
    .option(
      '--seed <text>',
      'seed of ids and faults; the same seed repeats a run (default: a random one, which is shown)',
    )
    .option(
      '--cors [origin]',
      'lets web pages of this origin call; may be repeated; without a value, web pages of every origin (default: of none)',
      origins,
    )
    .option('--speed <factor>', 'how fast time passes for queue and workers: 10 is ten times as fast', speed, 1)
    .addHelpText('after', helpText(`${FAULT_HELP}${EXAMPLES}`))
    .action((file: string | undefined, options: EmulateOptions) => emulate(file, options, process));
  command
    .command('faults')
    .summary('show and change the faults of a running local RunPod')
    .description('Shows the active faults of a local RunPod on this machine. A list or an option changes them first.')
    .argument('[list]', 'faults to add: name[=probability], … or rules as JSON; see below', faults)
    .option('-p, --port <number>', 'the port that the local RunPod listens on', port, DEFAULT_PORT)
    .option('--host <address>', 'the address or name that the local RunPod listens on', host, '127.0.0.1')
    .option('-c, --clear', 'removes all active faults; with a list, the list replaces them')
    .option(
      '-r, --remove <id>',
      'removes the fault with this id; may be repeated',
      (id: string, ids?: readonly number[]) => [...(ids ?? []), count(id)],
    )
    .addHelpText('after', helpText(`${FAULT_HELP}${FAULTS_EXAMPLES}`))
    .action((rules: readonly FaultRule[] | undefined, options: FaultsOptions) => switchFaults(rules, options, process));
  return command;
}
