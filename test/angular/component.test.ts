// @vitest-environment jsdom
import { emulated } from './support/testBed.js';
import { ChangeDetectionStrategy, Component, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { injectEndpoint, jobResource } from 'runpod-rx/angular';
import type { RunpodTestingOptions } from 'runpod-rx/angular/testing';

/** A component without decorators, as no compiler runs here. */
class PoemComponent {
  readonly prompt = signal('a lighthouse');
  readonly poem = jobResource({
    endpoint: injectEndpoint<{ prompt: string }, { text: string }>('poet'),
    request: () => ({ input: { prompt: this.prompt() } }),
  });
}
Component({
  selector: 'app-poem',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @switch (poem.status()) {
      @case ('done') { <p>{{ poem.value()?.text }}</p> }
      @case ('failed') { <p>{{ poem.error()?.code }}</p> }
      @default { <p>{{ poem.status() }}</p> }
    }
    <button (click)="poem.cancel()">Cancel</button>
  `,
})(PoemComponent);

const HOUR = 3_600_000;

const hourly: RunpodTestingOptions = {
  endpoints: {
    poet: {
      executionTimeout: 2 * HOUR,
      handler: ({ input }, { delay }) => delay(HOUR).pipe(map(() => ({ text: `an ode to ${String(input.prompt)}` }))),
    },
  },
};

describe('a component with a job of an hour', () => {
  it('is tested without waiting', async () => {
    const ledger = emulated(hourly);
    const fixture = TestBed.createComponent(PoemComponent);
    const text = () => (fixture.nativeElement as HTMLElement).querySelector('p')?.textContent;
    await fixture.whenStable();
    ledger.advance(59 * 60_000);
    expect(text()).toBe('running');
    ledger.advance(2 * 60_000);
    expect(text()).toBe('an ode to a lighthouse');
    expect(ledger.statuses()).toEqual(['COMPLETED']);
    expect(ledger.jobs()[0]!.executionMs).toBe(HOUR);
  });

  it('cancels by a click, and when it is removed', async () => {
    const ledger = emulated(hourly);
    const fixture = TestBed.createComponent(PoemComponent);
    const element = fixture.nativeElement as HTMLElement;
    await fixture.whenStable();
    ledger.advance(1_000);
    element.querySelector('button')!.click();
    ledger.advance(1_000);
    expect(element.querySelector('p')!.textContent).toBe('cancelled');
    fixture.componentInstance.prompt.set('the sea');
    ledger.advance(1_000);
    fixture.destroy();
    ledger.advance(1_000);
    expect(ledger.statuses()).toEqual(['CANCELLED', 'CANCELLED']);
  });
});
