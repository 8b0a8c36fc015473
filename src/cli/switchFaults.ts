import type { ActiveFault, FaultRule } from '../emulator/index.js';
import { bracketed } from '../emulator/server/hostName.js';
import { render } from './Text.js';

/** The options of `runpod-rx faults`, read and checked. */
export interface FaultsOptions {
  /** The port that the emulator listens on. */
  readonly port: number;
  /** The address or name that the emulator listens on. */
  readonly host: string;
  /** Whether to remove all active faults. */
  readonly clear?: boolean;
  /** The ids of faults to remove. */
  readonly remove?: readonly number[];
}

/** `runpod-rx faults`: changes the faults of a running emulator, and shows them. Sets the exit code; never rejects. */
export async function switchFaults(
  rules: readonly FaultRule[] | undefined,
  options: FaultsOptions,
  process: NodeJS.Process,
): Promise<void> {
  const url = `http://${bracketed(options.host)}:${options.port}`;
  try {
    let faults: readonly ActiveFault[] = [];
    for (const [method, path, body] of requestsFor(rules, options)) faults = await ask(url, method, path, body);
    process.stdout.write(render(faults.length > 0 ? tableOf(faults) : 'no faults\n', false));
  } catch (error) {
    process.stderr.write(render(`error: ${error instanceof Error ? error.message : String(error)}\n`, false));
    process.exitCode = 1;
  }
}

type Request = readonly [method: string, path: string, body?: unknown];

function requestsFor(rules: readonly FaultRule[] | undefined, { clear, remove = [] }: FaultsOptions): Request[] {
  const requests: Request[] = remove.map((id) => ['DELETE', `faults/${id}`]);
  if (rules) requests.push([clear ? 'PUT' : 'POST', 'faults', rules]);
  else if (clear) requests.push(['DELETE', 'faults']);
  return requests.length > 0 ? requests : [['GET', 'faults']];
}

async function ask(url: string, method: string, path: string, body: unknown): Promise<readonly ActiveFault[]> {
  const where = '--port says where it listens';
  const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const answer = await fetch(`${url}/__emulator/${path}`, init).catch(() => {
    throw new Error(`no emulator answers at ${url}; ${where}`);
  });
  const content = (await answer.json().catch(() => undefined)) as
    { readonly faults?: readonly ActiveFault[]; readonly error?: string } | undefined; // the form of an emulator's answer; checked below
  if (Array.isArray(content?.faults)) return content.faults as readonly ActiveFault[];
  throw new Error(content?.error ?? `what answers at ${url} is no emulator; ${where}`);
}

/** A line for each rule: its id, its fault, its conditions and details, and its counts. */
function tableOf(faults: readonly ActiveFault[]): string {
  const width = Math.max(...faults.map(({ rule }) => rule.fault.length));
  const lines = faults.map(({ id, rule: { fault, ...rest }, seen, struck }) => {
    const details = Object.keys(rest).length > 0 ? `${JSON.stringify(rest)}  ` : '';
    return `${id}  ${fault.padEnd(width)}  ${details}seen ${seen}, struck ${struck}\n`;
  });
  return lines.join('');
}
