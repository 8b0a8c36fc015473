// @vitest-environment jsdom
import { emulated } from './support/testBed.js';
import { EnvironmentInjector, createEnvironmentInjector, runInInjectionContext } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  injectEndpoint,
  pipelineResource,
  type PipelineResource,
  type PipelineResourceOptions,
} from 'runpod-rx/angular';

import type { RunpodTestingOptions } from 'runpod-rx/angular/testing';

type Input = { size: number };

const painter: RunpodTestingOptions = {
  latency: 20,
  endpoints: {
    painter: ({ input }, { delay }) =>
      delay(1_000).pipe(
        map(() => {
          if (Number(input.size) < 0) throw new Error('nothing to paint');
          return Number(input.size) * 2;
        }),
      ),
  },
};

const sizes = (count: number) => Array.from({ length: count }, (_, size) => ({ input: { size } }));

function resource(options: Partial<PipelineResourceOptions<Input, number>> = {}): {
  gallery: PipelineResource<Input, number>;
  destroy(): void;
} {
  const injector = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
  const gallery = runInInjectionContext(injector, () =>
    pipelineResource({
      endpoint: injectEndpoint<Input, number>('painter'),
      inputs: () => sizes(6),
      concurrency: 2,
      ...options,
    }),
  );
  return { gallery, destroy: () => injector.destroy() };
}

describe('pipelineResource', () => {
  it('S4 runs nothing once its component is destroyed, since nobody would cancel the jobs', () => {
    const ledger = emulated(painter);
    const { gallery, destroy } = resource();
    destroy();
    gallery.start();
    ledger.advance(30_000);
    expect([gallery.status(), ledger.statuses()]).toEqual(['idle', []]);
  });

  it('runs nothing before it is started, and then a job for each input', () => {
    const ledger = emulated(painter);
    const { gallery } = resource();
    ledger.advance(10_000);
    expect([gallery.status(), gallery.items(), gallery.totals().taken]).toEqual(['idle', [], 0]);
    expect(ledger.requests()).toEqual([]);
    gallery.start();
    ledger.advance(100);
    expect(gallery.status()).toBe('running');
    expect(gallery.totals()).toMatchObject({ inFlight: 2, done: 0, total: 6 });
    ledger.advance(30_000);
    expect(gallery.status()).toBe('done');
    expect(gallery.items().map((item) => item.ok && item.output)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(gallery.totals()).toMatchObject({ inFlight: 0, done: 6, failed: 0 });
    expect(gallery.items()).toBe(gallery.items());
  });

  it('pauses and goes on: running jobs end meanwhile', () => {
    const ledger = emulated(painter);
    const { gallery } = resource();
    gallery.start();
    ledger.advance(100);
    gallery.pause();
    expect(gallery.status()).toBe('paused');
    ledger.advance(30_000);
    expect(gallery.totals()).toMatchObject({ taken: 2, done: 2 });
    gallery.resume();
    expect(gallery.status()).toBe('running');
    ledger.advance(30_000);
    expect(gallery.totals().done).toBe(6);
  });

  it('cancels the running jobs, keeps the items, and can be started again', () => {
    const ledger = emulated(painter);
    const { gallery } = resource();
    gallery.start();
    ledger.advance(2_000);
    const count = gallery.items().length;
    expect(count).toBeGreaterThan(0);
    gallery.cancel();
    gallery.cancel();
    expect([gallery.status(), gallery.items().length]).toEqual(['cancelled', count]);
    ledger.advance(5_000);
    expect(ledger.statuses().filter((status) => status === 'CANCELLED')).toHaveLength(2);
    expect(ledger.jobs()).toHaveLength(count + 2);
    gallery.start();
    expect(gallery.items()).toEqual([]);
    ledger.advance(30_000);
    expect([gallery.status(), gallery.items().length]).toEqual(['done', 6]);
  });

  it('does not start twice', () => {
    const ledger = emulated(painter);
    const { gallery } = resource();
    gallery.start();
    gallery.start();
    ledger.advance(30_000);
    expect(ledger.jobs()).toHaveLength(6);
  });

  it('cancels when its injector is destroyed', () => {
    const ledger = emulated(painter);
    const { gallery, destroy } = resource();
    gallery.start();
    ledger.advance(500);
    destroy();
    ledger.advance(5_000);
    expect(ledger.statuses()).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it('has a failed item among the items, and fails as a whole only where `onError` says so', () => {
    const ledger = emulated(painter);
    const inputs = () => [{ input: { size: -1 } }, { input: { size: 1 } }];
    const { gallery } = resource({ inputs });
    gallery.start();
    ledger.advance(30_000);
    expect([gallery.status(), gallery.error()]).toEqual(['done', undefined]);
    expect(gallery.totals()).toMatchObject({ done: 1, failed: 1 });
    const strict = resource({ inputs, onError: 'throw', concurrency: 1 }).gallery;
    strict.start();
    ledger.advance(30_000);
    expect([strict.status(), strict.error()?.code]).toEqual(['failed', 'job_failed']);
    strict.start();
    expect(strict.error()).toBe(undefined);
  });

  it('fails where `inputs` throws', () => {
    const ledger = emulated(painter);
    const { gallery } = resource({
      inputs: () => {
        throw new TypeError('none');
      },
    });
    gallery.start();
    ledger.advance(0);
    expect([gallery.status(), gallery.error()?.code]).toEqual(['failed', 'runpod']);
  });
});
