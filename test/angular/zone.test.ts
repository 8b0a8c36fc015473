// @vitest-environment jsdom
import 'zone.js';
import '@angular/compiler';
import {
  ApplicationRef,
  ChangeDetectionStrategy,
  Component,
  NgZone,
  provideZoneChangeDetection,
  signal,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { BrowserTestingModule, platformBrowserTesting } from '@angular/platform-browser/testing';
import { asyncScheduler, from, map, tap } from 'rxjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { patiently } from './support/patiently.js';
import { Runpod } from 'runpod-rx';
import { injectEndpoint, injectRunpod, jobResource, pipelineResource } from 'runpod-rx/angular';
import { provideRunpodTesting, type RunpodTestingOptions } from 'runpod-rx/angular/testing';

// Real time: what is tested is which zone timers and results are in.
const platform: RunpodTestingOptions = {
  scheduler: asyncScheduler,
  endpoints: {
    poet: (_, { delay }) => delay(60).pipe(map(() => 'an ode')),
    slow: (_, { delay }) => delay(60_000),
    teller: {
      stream: true,
      handler: () => from(Array.from({ length: 200 }, (_, index) => `word ${index}`)),
    },
  },
};

class PoemComponent {
  readonly id = signal('poet');
  readonly poem = jobResource({ endpoint: injectEndpoint('poet'), request: () => ({ input: { a: 1 } }) });
}
Component({
  selector: 'app-poem',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `<p>{{ poem.status() }} {{ poem.value() }}</p>`,
})(PoemComponent);

beforeAll(() => {
  TestBed.initTestEnvironment(BrowserTestingModule, platformBrowserTesting());
});

afterEach(() => {
  TestBed.resetTestingModule();
});

function emulated(options: Parameters<typeof provideZoneChangeDetection>[0] = {}): void {
  TestBed.configureTestingModule({
    providers: [provideZoneChangeDetection(options), provideRunpodTesting(platform)],
  });
}

describe('an application with zone.js', () => {
  it('S33 is stable while a job runs', async () => {
    emulated();
    const zone = TestBed.inject(NgZone);
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint('slow'));
    const states: string[] = [];
    const subscription = zone.run(() =>
      endpoint.job({ input: { a: 1 } }).state$.subscribe(({ status }) => states.push(status)),
    );
    await patiently(() => expect(states).toContain('IN_PROGRESS'));
    expect(zone.hasPendingMacrotasks).toBe(false);
    await TestBed.inject(ApplicationRef).whenStable();
    subscription.unsubscribe();
  });

  it('S33 gets what Observables emit inside of the zone, wherever it subscribes', async () => {
    emulated();
    const zones: boolean[] = [];
    const note = () => zones.push(NgZone.isInAngularZone());
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint('poet'));
    const job = endpoint.job({ input: { a: 1 } });
    await new Promise<void>((resolve) => {
      job.events$.pipe(tap(note)).subscribe({
        complete: () => {
          note();
          resolve();
        },
      });
    });
    endpoint.runToEnd({ input: { a: 1 } }).subscribe(note);
    const error$ = endpoint.status('no/id');
    await new Promise<void>((resolve) => {
      error$.subscribe({
        error: () => {
          note();
          resolve();
        },
      });
    });
    expect(zones.length).toBeGreaterThan(4);
    expect(zones).not.toContain(false);
  });

  it('S33 calls functions of the application outside, with what belongs to the client', async () => {
    emulated();
    const zone = TestBed.inject(NgZone);
    const client = TestBed.runInInjectionContext(injectRunpod);
    expect(client).toBeInstanceOf(Runpod);
    const zones: boolean[] = [];
    const poll = () => {
      zones.push(NgZone.isInAngularZone());
      return 10;
    };
    await new Promise<void>((resolve) => {
      zone.run(() => {
        client
          .endpoint('poet')
          .job({ input: { a: 1 } }, { poll })
          .output$.subscribe({ complete: resolve });
      });
    });
    expect(zones.length).toBeGreaterThan(0);
    expect(zones).not.toContain(true);
  });

  it.each([{}, { ignoreChangesOutsideZone: true }])(
    'S33 renders once for each change that shows: %j',
    async (options) => {
      emulated(options);
      const application = TestBed.inject(ApplicationRef);
      const fixture = TestBed.createComponent(PoemComponent);
      fixture.autoDetectChanges();
      const shown: string[] = [];
      const tick = vi.spyOn(application, 'tick');
      const text = () => (fixture.nativeElement as HTMLElement).textContent ?? '';
      shown.push(text());
      const observer = new MutationObserver(() => shown.push(text()));
      observer.observe(fixture.nativeElement as Node, { subtree: true, characterData: true, childList: true });
      await patiently(() => expect(text()).toBe('done an ode'));
      observer.disconnect();
      expect(tick.mock.calls.length).toBeLessThanOrEqual(3);
      await application.whenStable();
    },
  );

  it('S33 renders once for all chunks that come at a time', async () => {
    emulated();
    // Each time the zone is left, Angular renders.
    const enter = vi.spyOn(TestBed.inject(NgZone), 'run');
    const story = TestBed.runInInjectionContext(() =>
      jobResource({ endpoint: injectEndpoint('teller'), request: () => ({ input: { a: 1 } }), stream: true }),
    );
    TestBed.tick();
    enter.mockClear();
    await patiently(() => expect(story.status()).toBe('done'));
    expect(story.chunks()).toHaveLength(200);
    expect(enter.mock.calls.length).toBeLessThan(20);
  });

  it('S33 runs a pipeline outside, and shows its items inside', async () => {
    emulated();
    const zone = TestBed.inject(NgZone);
    const gallery = TestBed.runInInjectionContext(() =>
      pipelineResource({
        endpoint: injectEndpoint('poet'),
        inputs: () => [{ input: { a: 1 } }, { input: { a: 2 } }],
        concurrency: 1,
      }),
    );
    zone.run(() => gallery.start());
    expect(zone.hasPendingMacrotasks).toBe(false);
    await patiently(() => expect(gallery.status()).toBe('done'));
    expect(gallery.items()).toHaveLength(2);
    // What was cancelled, and started again at once, is not ended by what came before.
    zone.run(() => {
      gallery.start();
      gallery.cancel();
      gallery.start();
    });
    await patiently(() => expect(gallery.status()).toBe('done'));
    expect(gallery.items()).toHaveLength(2);
  });
});
