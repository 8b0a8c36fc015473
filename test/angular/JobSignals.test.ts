// @vitest-environment jsdom
import { emulated } from './support/testBed.js';
import { TestBed } from '@angular/core/testing';
import { asyncScheduler, concat, delay as pause, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { injectEndpoint } from 'runpod-rx/angular';
import type { FollowContext } from '../../src/angular/FollowContext.js';
import { JobSignals } from '../../src/angular/JobSignals.js';

describe('JobSignals', () => {
  it('S16 gives a job up with all chunks that it counts, also those that no view was told of yet', () => {
    const ledger = emulated({
      endpoints: {
        teller: {
          stream: true,
          handler: (_, { scheduler }) =>
            concat(...['Once', 'upon', 'a', 'time'].map((word) => of(word).pipe(pause(1_000, scheduler)))),
        },
      },
    });
    const request = { input: { a: 1 } };
    const waiting: (() => void)[] = [];
    const context: FollowContext = {
      scheduler: asyncScheduler,
      outside: (run) => run(),
      deliver: (apply) => waiting.push(apply),
    };
    const job = TestBed.runInInjectionContext(() => injectEndpoint('teller')).job(request, { stream: true });
    const followed = new JobSignals({ request, content: request }, job, context);
    followed.follow();
    ledger.advance(1_500);
    for (const apply of waiting.splice(0)) apply();
    ledger.advance(1_000);
    expect(followed.chunks()).toEqual(['Once']);
    expect(followed.giveUp()).toMatchObject({ chunks: 2 });
    expect(followed.known.chunks).toEqual(['Once', 'upon']);
  });
});
