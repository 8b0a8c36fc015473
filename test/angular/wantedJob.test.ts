// @vitest-environment jsdom
import './support/testBed.js';
import { provideZonelessChangeDetection, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { FollowContext } from '../../src/angular/FollowContext.js';
import { debounced, type WantedJob } from '../../src/angular/wantedJob.js';

const wanted = (prompt: string): WantedJob => ({ request: { input: { prompt } }, content: { input: { prompt } } });

describe('debounced', () => {
  it('S32 goes back to the request before, where that is wanted again while the next one is being delivered', () => {
    TestBed.configureTestingModule({ providers: [provideZonelessChangeDetection()] });
    const scheduler = new VirtualTimeScheduler();
    const waiting: (() => void)[] = [];
    const deliver = () => {
      for (const apply of waiting.splice(0)) apply();
    };
    const context: FollowContext = { scheduler, outside: (run) => run(), deliver: (apply) => waiting.push(apply) };
    const [first, second] = [wanted('a'), wanted('b')];
    const source = signal<WantedJob | undefined>(first);
    const settled = TestBed.runInInjectionContext(() => debounced(source, 300, context));
    TestBed.tick();
    source.set(second);
    TestBed.tick();
    scheduler.flush();
    source.set(first);
    TestBed.tick();
    deliver();
    scheduler.flush();
    deliver();
    expect(settled()).toBe(first);

    source.set(second);
    TestBed.tick();
    scheduler.flush();
    deliver();
    expect(settled()).toBe(second);
  });
});
