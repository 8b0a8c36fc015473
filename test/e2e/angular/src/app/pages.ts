import { ChangeDetectionStrategy, Component, signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { injectEndpoint, jobResource } from 'runpod-rx/angular';

interface Input {
  prompt: string;
}

interface Output {
  text: string;
}

const OnPush = ChangeDetectionStrategy.OnPush;

/** All that a template can ask, with strict templates. */
const view = `
  <p id="status">{{ job.status() }}</p>
  @let state = job.state();
  @switch (state.status) {
    @case ('done') { <p id="value">{{ state.value.text }}</p> }
    @case ('failed') { <p id="error">{{ state.error.code }}</p> }
  }
  @if (job.hasValue()) { <p id="guarded">{{ job.value().text.length }}</p> }
  @if (job.error(); as error) {
    @if (error.code === 'job_failed') { <p id="why">{{ error.snapshot.error.message }}</p> }
    @if (error.code === 'validation') { <p id="why">{{ error.issues.length }}</p> }
  }
  <p id="chunks">{{ job.chunks().join(' ') }}</p>
  <button id="cancel" (click)="job.cancel()">Cancel</button>
`;

const ask = (prompt: string): { input: Input } => ({ input: { prompt } });

@Component({ selector: 'app-removable', changeDetection: OnPush, template: `<p id="removable">{{ job.status() }}</p>` })
class Removable {
  readonly job = jobResource({ endpoint: injectEndpoint<Input, Output>('slow'), request: () => ask('removable') });
}

@Component({
  changeDetection: OnPush,
  imports: [Removable],
  template: `
    <input id="prompt" #box [value]="prompt()" (input)="prompt.set(box.value)" />
    <button id="show" (click)="isShown.set(true)">Show</button>
    <button id="hide" (click)="isShown.set(false)">Hide</button>
    @if (isShown()) {
      <app-removable />
    }
    ${view}
  `,
})
export class Typing {
  readonly prompt = signal('');
  readonly isShown = signal(false);
  readonly job = jobResource({
    endpoint: injectEndpoint<Input, Output, string>('quick'),
    request: () => (this.prompt() ? ask(this.prompt()) : undefined),
    debounce: 200,
  });
}

@Component({ changeDetection: OnPush, template: view })
export class Auto {
  readonly job = jobResource({ endpoint: injectEndpoint<Input, Output, string>('quick'), request: () => ask('auto') });
}

@Component({ changeDetection: OnPush, template: view })
export class Run {
  readonly job = jobResource({
    endpoint: injectEndpoint<Input, Output, string>('quick'),
    request: () => ask('run'),
    server: 'run',
  });
}

@Component({ changeDetection: OnPush, template: view })
export class RunSlow {
  readonly job = jobResource({
    endpoint: injectEndpoint<Input, Output, string>('slow'),
    request: () => ask('run-slow'),
    server: 'run',
    serverWait: 500,
  });
}

@Component({ changeDetection: OnPush, template: view })
export class Slow {
  readonly job = jobResource({ endpoint: injectEndpoint<Input, Output, string>('slow'), request: () => ask('slow') });
}

@Component({ changeDetection: OnPush, template: view })
export class Story {
  readonly job = jobResource({
    endpoint: injectEndpoint<Input, Output, string>('story'),
    request: () => ask('story'),
    stream: true,
  });
}

@Component({
  changeDetection: OnPush,
  template: `<button id="bump" (click)="version.set(version() + 1)">{{ version() }}</button> ${view}`,
})
export class Equal {
  readonly version = signal(0);
  readonly job = jobResource({
    endpoint: injectEndpoint<Input, Output, string>('quick'),
    request: () => ({ ...ask('equal'), ...(this.version() < 0 && { webhook: '' }) }),
  });
}

@Component({ changeDetection: OnPush, template: `<p id="value">{{ output()?.text ?? 'waiting' }}</p>` })
export class Raw {
  readonly output = toSignal(injectEndpoint<Input, Output>('quick').job(ask('raw')).output$);
}
