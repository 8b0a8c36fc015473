// What a consumer writes, for the type checker only: it runs in no test.
import { firstValueFrom, type Observable } from 'rxjs';
import {
  createRunpod,
  HttpError,
  JobFailedError,
  runpod,
  RunpodError,
  type JobSnapshot,
  type Runpod,
  type Transport,
} from 'runpod-rx';
import { jobOutput } from 'runpod-rx/operators';
import { createEmulator } from 'runpod-rx/testing';
import { startEmulator } from 'runpod-rx/emulator';
import { fetchTransport } from 'runpod-rx/fetch';
import { undiciTransport } from 'runpod-rx/undici';

interface Input {
  readonly prompt: string;
}
interface Output {
  readonly text: string;
}

const transport: Transport = createEmulator({ endpoints: { demo: { handler: () => 1 } } }).transport;
export const clients: readonly Runpod[] = [
  runpod({ apiKey: 'key' }),
  createRunpod({ transport }),
  createRunpod({ transport: fetchTransport() }),
  createRunpod({ transport: undiciTransport() }),
  createRunpod({ transport: fetchTransport({ fetch: (url, settings) => fetch(url, settings) }) }),
];

const endpoint = clients[0]!.endpoint<Input, Output>('demo');
export const output$: Observable<Output> = endpoint.runSync({ input: { prompt: 'hello' } }).pipe(jobOutput());

// @ts-expect-error the input has a type
endpoint.run({ input: { prompt: 1 } });

export function told(snapshot: JobSnapshot<Output>): string {
  if (snapshot.status === 'COMPLETED') return snapshot.output.text;
  // @ts-expect-error an output exists where the job is over, and nowhere else
  return String(snapshot.output);
}

export function said(error: unknown): string {
  if (error instanceof JobFailedError) return error.code;
  if (error instanceof HttpError) return String(error.status);
  return error instanceof RunpodError ? error.code : 'unknown';
}

export async function emulated(): Promise<string> {
  const emulator = await startEmulator({ endpoints: { demo: { handler: () => 1 } } });
  return (await firstValueFrom(output$)).text + emulator.baseUrl;
}
