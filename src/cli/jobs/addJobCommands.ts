import { Option, type Command } from 'commander';
import { duration, endpointId, jobId, positive, price } from '../arguments.js';
import { helpText } from '../helpText.js';
import type { PipelineCommandOptions } from '../pipeline/PipelineOptions.js';
import { runPipeline } from '../pipeline/runPipeline.js';
import { cancelJobs } from './cancelJobs.js';
import { doctor } from './doctor.js';
import { purgeQueue, type PurgeOptions } from './purgeQueue.js';
import { retryJob, type RetryOptions } from './retryJob.js';
import { runJob, type RunOptions } from './runJob.js';
import { runSession } from './runSession.js';
import type { SessionOptions } from './Session.js';
import { showHealth, type HealthOptions } from './showHealth.js';
import { streamJob, watchJob } from './watchJob.js';

const KEY_HELP = `
The key comes from RUNPOD_API_KEY, or from the file that --key-file names; the address from RUNPOD_BASE_URL, such as
http://127.0.0.1:8008/v2 for a local RunPod, or from --base-url. A local RunPod needs no key.

Exit codes: 0 done · 1 failed · 2 wrong arguments, nothing sent · 3 refused · 4 unreachable · 5 sent, and perhaps accepted
`;

const RUN_HELP = `
Ctrl-C cancels the job. SIGTERM lets it go on, and says how to follow it.

Examples:
  $ runpod-rx run my-endpoint '{"prompt":"a lighthouse"}'
  $ runpod-rx run my-endpoint --input input.json --json | jq .output
  $ runpod-rx run my-stream '{"prompt":"a story"}' --stream
  $ runpod-rx run my-endpoint '{"prompt":"a film"}' --detach
`;

const PIPELINE_HELP = `
Each line of the file is the input of one job, an object of JSON. Two equal lines are two jobs. Each line of the results has
the line of its input, the id of the job and its output.

Run the same command again, and it goes on where it was: what has ended is not run again, and what runs is taken up. Ctrl-C
cancels the jobs at work, which are run again next time; SIGTERM lets them go on.

Examples:
  $ runpod-rx pipeline my-endpoint inputs.jsonl -o results.jsonl --concurrency 20
  $ runpod-rx pipeline my-endpoint inputs.jsonl -o results.jsonl --dry-run
  $ runpod-rx pipeline my-endpoint inputs.jsonl -o results.jsonl --retry-failed --price 0.00031
`;

/** Adds the commands for jobs. */
export function addJobCommands(program: Command, process: NodeJS.Process): void {
  const add = (name: string, summary: string, description: string): Command =>
    program
      .command(name)
      .summary(summary)
      .description(description)
      .argument('<endpoint>', 'the id of the endpoint', endpointId)
      .option('--json', 'writes JSON for programs, and errors as JSON to the error output')
      .option('--base-url <url>', 'the address of the service (default: RUNPOD_BASE_URL, or RunPod’s)')
      .option('--key-file <file>', 'a file with the key (default: the key in RUNPOD_API_KEY)');

  add('run', 'submit a job and wait for its output', 'Submits a job, shows how it goes, and writes its output.')
    .argument('[input]', 'the input: an object of JSON')
    .option('-i, --input <file>', 'a file with the input; - is the standard input')
    .option('-s, --stream', 'writes the chunks as they come, rather than the output')
    .option('-d, --detach', 'writes the id as soon as the job is submitted, and ends')
    .addOption(
      new Option('-t, --timeout <duration>', 'the job is cancelled after this time: 30s, 10m, 2h')
        .argParser(duration)
        // Nobody would be there to cancel it.
        .conflicts('detach'),
    )
    .option('--webhook <url>', 'the service calls it when the job is over')
    .option('--low-priority', 'the job starts no further worker')
    .addHelpText('after', helpText(RUN_HELP))
    .action((id: string, input: string | undefined, options: RunOptions) =>
      runSession(process, options, (session) => runJob(session, id, input, options)),
    );
  add(
    'watch',
    'follow a job to its end',
    'Follows a job to its end, and writes its output. Ctrl-C does nothing to the job.',
  )
    .argument('<job>', 'the id of the job', jobId)
    .action((id: string, job: string, options: SessionOptions) =>
      runSession(process, options, (session) => watchJob(session, id, job)),
    );
  add(
    'stream',
    'write the chunks of a job as they come',
    'Writes the chunks of a job as they come. The service hands each out once: nobody else should read them. Ctrl-C does nothing to the job.',
  )
    .argument('<job>', 'the id of the job', jobId)
    .action((id: string, job: string, options: SessionOptions) =>
      runSession(process, options, (session) => streamJob(session, id, job)),
    );
  add('cancel', 'cancel jobs', 'Cancels jobs, and says what became of each.')
    .argument('<jobs...>', 'the ids of the jobs', (job: string, jobs?: readonly string[]) => [
      ...(jobs ?? []),
      jobId(job),
    ])
    .action((id: string, jobs: readonly string[], options: SessionOptions) =>
      runSession(process, options, (session) => cancelJobs(session, id, jobs)),
    );
  add(
    'retry',
    'run a job again that failed',
    'Has a job that failed or timed out run again, under the same id, and follows it. It is paid again.',
  )
    .argument('<job>', 'the id of the job', jobId)
    .option('-d, --detach', 'ends as soon as the job is queued again')
    .action((id: string, job: string, options: RetryOptions) =>
      runSession(process, options, (session) => retryJob(session, id, job, options)),
    );
  add('health', 'show the jobs and workers of an endpoint', 'Shows how many jobs and workers an endpoint has.')
    .option('-w, --watch', 'goes on until Ctrl-C')
    .action((id: string, options: HealthOptions) =>
      runSession(process, options, (session) => showHealth(session, id, options)),
    );
  add(
    'purge',
    'remove all queued jobs of an endpoint',
    'Removes all queued jobs of an endpoint, whoever submitted them. Asks before.',
  )
    .option('-y, --yes', 'does not ask')
    .action((id: string, options: PurgeOptions) =>
      runSession(process, options, (session) => purgeQueue(session, id, options)),
    );
  add(
    'pipeline',
    'run a job for each line of a file',
    'Runs a job for each line of a file, some at a time, and survives whatever ends it.',
  )
    .argument('<inputs>', 'the file of inputs, in JSON Lines; - is the standard input')
    .requiredOption('-o, --output <file>', 'the file of results, which is appended to')
    .option('-c, --concurrency <number>', 'how many jobs run at a time', positive, 10)
    .option('--failures <file>', 'the file of failures (default: results.failed.jsonl for results.jsonl)')
    .option('--journal <folder>', 'the folder that remembers the jobs (default: results.journal for results.jsonl)')
    .option('--key <member>', 'the member of an input that names it (default: its whole content does)')
    .option('--with-input', 'writes each input beside its output')
    .option('-t, --timeout <duration>', 'a job is cancelled after this time: 30s, 10m, 2h', duration)
    .addOption(
      new Option('--ambiguous <what>', 'what is done with an input that was sent without an answer, and may run')
        .choices(['fail', 'resubmit'])
        .default('fail'),
    )
    .option('--retry-failed', 'runs inputs again whose job failed; they are paid again')
    .option('--price <number>', 'what a second of execution costs, for an estimate', price)
    .option('--dry-run', 'says what would be done, and sends nothing')
    .addHelpText('after', helpText(PIPELINE_HELP))
    .action((id: string, inputs: string, options: PipelineCommandOptions) =>
      runSession(process, options, (session) => runPipeline(session, id, inputs, options)),
    );
  add(
    'doctor',
    'check the key, an endpoint and the way there',
    'Checks whether the key is good, the endpoint exists and its workers are healthy, and what a round trip takes. It costs nothing.',
  ).action((id: string, options: SessionOptions) => runSession(process, options, (session) => doctor(session, id)));
  for (const command of program.commands) command.addHelpText('after', helpText(KEY_HELP));
}
