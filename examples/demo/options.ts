import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { JobRequest } from 'runpod-rx';
import { UsageError } from './UsageError.js';

export const HELP = `npm run demo                        a tour against a local RunPod in this process
npm run demo -- --input file.json   a job of yours on RunPod (this costs money)

The file holds a request, as test_input.json does: { "input": { … }, "policy": { … } }. An object without a member
"input" is the input itself. The endpoint and the key come from the environment:

  RUNPOD_API_KEY    the key
  ENDPOINT_ID       the endpoint
  RUNPOD_BASE_URL   where the API is, if it is not https://api.runpod.ai/v2
  NO_COLOR          no colours

Ctrl-C cancels running jobs.`;

/** What the command line asks for. */
export type Mode =
  { readonly name: 'help' } | { readonly name: 'tour' } | { readonly name: 'service'; readonly request: JobRequest };

export function modeOf(args: readonly string[], env: NodeJS.ProcessEnv): Mode {
  const { help, input } = valuesOf(args);
  if (help) return { name: 'help' };
  if (input === undefined) return { name: 'tour' };
  const missing = ['RUNPOD_API_KEY', 'ENDPOINT_ID'].filter((name) => !env[name]);
  if (missing.length) throw new UsageError(`--input runs a job on RunPod, and ${missing.join(' and ')} is not set`);
  return { name: 'service', request: requestIn(input) };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, input: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\. .*/s, ''), { cause: error });
  }
}

function requestIn(file: string): JobRequest {
  const value = jsonIn(file);
  if (!isObject(value)) throw new UsageError(`${file} must hold a JSON object, such as {"input": {"prompt": "hello"}}`);
  if (!('input' in value)) return { input: value };
  if (!isObject(value.input)) throw new UsageError(`"input" in ${file} must be an object`);
  return { ...value, input: value.input };
}

function jsonIn(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read: ${message}`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
