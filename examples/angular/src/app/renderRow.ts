import { ChangeDetectionStrategy, Component, computed, effect, inject, input, untracked } from '@angular/core';
import { injectEndpoint, jobResource } from 'runpod-rx/angular';
import { RenderStore, type Order } from './renderStore';
import { errorWords, statusWords, waitingWords } from './words';

interface Progress {
  readonly percent: number;
  readonly step: string;
}

/** One render: submitted once, and attached to by its reference from then on. */
@Component({
  selector: 'app-render-row',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <div class="card row">
      <div class="bar">
        <strong>{{ order().title }}</strong>
        <span class="muted mono">{{ id() }}</span>
        <span class="grow"></span>
        <span class="badge" [class]="render.status()">{{ words() }}</span>
        @if (render.isLoading()) {
          <button type="button" (click)="render.cancel()">Cancel</button>
        } @else {
          <button type="button" (click)="store.remove(order().key)">Remove</button>
        }
      </div>
      @switch (render.status()) {
        @case ('queued') {
          <p class="muted">{{ why() }}</p>
        }
        @case ('running') {
          <progress [value]="progress()?.percent ?? 0" max="100" aria-label="Rendered"></progress>
          <p class="muted">{{ progress()?.step ?? 'Starting' }}</p>
        }
        @case ('done') {
          <p>{{ render.value()?.note }}</p>
        }
        @case ('failed') {
          <p class="problem" role="alert">{{ problem() }}</p>
        }
      }
    </div>
  `,
})
export class RenderRow {
  readonly order = input.required<Order>();
  readonly store = inject(RenderStore);

  readonly render = jobResource({
    endpoint: injectEndpoint<{ kind: string; title: string }, { note: string }>('renderer'),
    // What was ordered is submitted once. Its reference, once it is stored, is not another request.
    request: () => this.#request(),
    onUnsubscribe: 'detach',
  });

  readonly id = computed(() => this.render.snapshot()?.id.slice(0, 8) ?? '');
  readonly progress = computed(() => this.render.progress() as Progress | undefined);
  readonly words = computed(() => statusWords(this.render.status()));
  readonly why = computed(() => waitingWords(this.render.diagnosis()));
  readonly problem = computed(() => {
    const error = this.render.error();
    return error ? errorWords(error) : '';
  });

  readonly #key = computed(() => this.order().key);
  readonly #request = computed(() => {
    const key = this.#key();
    // Only at first: this row goes on with the job that it has submitted.
    const { ref, kind, title } = untracked(() => this.store.orders().find((one) => one.key === key) ?? this.order());
    return ref ?? { input: { kind, title } };
  });

  constructor() {
    effect((onCleanup) => {
      const job = this.render.job();
      const { key, ref } = untracked(this.order);
      if (!job || ref) return;
      const subscription = job.id$.subscribe({
        next: (id) => this.store.submitted(key, { v: 1, endpointId: 'renderer', id, submittedAt: Date.now() }),
        error: () => undefined,
      });
      onCleanup(() => subscription.unsubscribe());
    });
  }
}
