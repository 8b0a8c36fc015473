import type { IncomingMessage } from 'node:http';
import { get, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Logger, type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import { createEmulator, type Emulator } from 'runpod-rx/testing';
import { RunpodModule, type RunpodModuleOptions } from 'runpod-rx/nestjs';
import { SseParser, type SseEvent } from '../../src/events/SseParser.js';

export const KEY = 'a-key-that-must-not-show';

/** The platforms of Nest. */
export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];

/** A RunPod inside the process. The endpoint `demo` does what the input says: `forever`, `fail`, `chunks`, or an echo. */
export function emulated(options: Partial<Parameters<typeof createEmulator>[0]> = {}): Emulator {
  return createEmulator({
    keys: [KEY],
    ...options,
    endpoints: {
      demo: {
        workers: { min: 20, max: 20 },
        handler: ({ input }, { delay }) => {
          if (input.forever) return delay(3_600_000);
          if (input.fail) return { error: 'a secret of the worker' };
          if (Array.isArray(input.chunks)) return (input.chunks as unknown[]).values();
          return { echo: input };
        },
      },
      ...options.endpoints,
    },
  });
}

/** What the ledger says of each job. */
export const statuses = (emulator: Pick<Emulator, 'jobs'>): readonly string[] =>
  emulator.jobs().map(({ status }) => status);

export interface Started {
  readonly app: INestApplication;
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A Nest application on 127.0.0.1 that is closed with the test. */
export async function start(
  platform: Platform,
  options: RunpodModuleOptions,
  controllers: readonly Type[] = [],
): Promise<Started> {
  const module = await Test.createTestingModule({
    imports: [RunpodModule.forRoot({ apiKey: KEY, ...options }), RunpodModule.forFeature(['demo'])],
    controllers: [...controllers],
  }).compile();
  Logger.overrideLogger(false);
  const app: INestApplication =
    platform === 'express'
      ? module.createNestApplication(new ExpressAdapter())
      : module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= app.close());
  onTestFinished(close);
  await app.listen(0, '127.0.0.1');
  return { app, url: (await app.getUrl()).replace('[::1]', '127.0.0.1'), close };
}

/** An open stream of events. */
export interface EventStream {
  readonly response: IncomingMessage;
  readonly events: readonly SseEvent[];
  /** The types of the events so far. */
  types(): readonly string[];
  /** All that came. */
  text(): string;
  readonly ended: Promise<void>;
  /** As a client does that is killed. */
  drop(): void;
}

export async function openEvents(url: string): Promise<EventStream> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on('error', reject);
  });
  const events: SseEvent[] = [];
  const parser = new SseParser();
  let all = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    all += text;
    events.push(...parser.push(text));
  });
  const ended = new Promise<void>((resolve) => response.on('close', resolve));
  response.on('error', () => undefined);
  onTestFinished(() => void response.destroy());
  return {
    response,
    events,
    types: () => events.map(({ type }) => type),
    text: () => all,
    ended,
    drop: () => void response.destroy(),
  };
}

/** Posts JSON, and does not wait for the answer; the function that it returns has the client go away. */
export function postAndLeave(url: string, body: object): () => void {
  const posting = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } });
  posting.on('error', () => undefined).end(JSON.stringify(body));
  onTestFinished(() => void posting.destroy());
  return () => void posting.destroy();
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}
