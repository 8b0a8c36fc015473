import { ChangeDetectionStrategy, Component, computed, signal } from '@angular/core';
import { codedError, type CodedError } from 'runpod-rx';
import { injectEndpoint, pipelineResource } from 'runpod-rx/angular';
import { errorWords } from './words';

const SUBJECTS = [
  'Lighthouse',
  'Harbour',
  'Dunes',
  'Glacier',
  'Orchard',
  'Old town',
  'Canyon',
  'Lagoon',
  'Vineyard',
  'Pass',
];
const TIMES = ['at dawn', 'at noon', 'at night'];
const PROMPTS = TIMES.flatMap((time) => SUBJECTS.map((subject) => `${subject} ${time}`));

interface Tile {
  readonly prompt: string;
  readonly url?: string;
  readonly error?: CodedError;
}

/** Thirty pictures, five at a time. */
@Component({
  selector: 'app-gallery',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section class="bar heading">
      <div>
        <h1>Thirty landscapes</h1>
        <p class="muted">{{ summary() }}</p>
      </div>
      <span class="grow"></span>
      @switch (gallery.status()) {
        @case ('running') {
          <button type="button" (click)="gallery.pause()">Pause</button>
          <button type="button" (click)="gallery.cancel()">Stop</button>
        }
        @case ('paused') {
          <button type="button" class="primary" (click)="gallery.resume()">Go on</button>
          <button type="button" (click)="gallery.cancel()">Stop</button>
        }
        @default {
          <button type="button" class="primary" (click)="gallery.start()">
            {{ started() ? 'Paint again' : 'Paint all' }}
          </button>
        }
      }
    </section>
    <progress
      [value]="gallery.totals().done + gallery.totals().failed"
      [max]="count"
      aria-label="Pictures done"
    ></progress>
    <div class="tiles">
      @for (tile of tiles(); track tile.prompt) {
        <figure class="tile" [class.busy]="!tile.url && !tile.error && active()">
          @if (tile.url; as url) {
            <img [src]="url" [alt]="tile.prompt" />
          }
          @if (tile.error; as error) {
            <p class="problem">{{ say(error) }}</p>
          }
          <figcaption>{{ tile.prompt }}</figcaption>
        </figure>
      }
    </div>
  `,
})
export class Gallery {
  readonly count = PROMPTS.length;
  readonly gallery = pipelineResource({
    endpoint: injectEndpoint<{ prompt: string; seed: number }, { url: string }>('painter'),
    inputs: () => PROMPTS.map((prompt, seed) => ({ input: { prompt, seed: seed + this.round() * 100 } })),
    concurrency: 5,
  });

  readonly round = signal(0);
  readonly started = computed(() => this.gallery.status() !== 'idle');
  readonly active = computed(() => this.gallery.status() === 'running');
  readonly tiles = computed((): Tile[] => {
    const tiles: Tile[] = PROMPTS.map((prompt) => ({ prompt }));
    for (const item of this.gallery.items()) {
      const prompt = PROMPTS[item.index] ?? '';
      tiles[item.index] = item.ok ? { prompt, url: item.output.url } : { prompt, error: codedError(item.error) };
    }
    return tiles;
  });

  readonly summary = computed(() => {
    const { done, failed, inFlight, remaining } = this.gallery.totals();
    switch (this.gallery.status()) {
      case 'idle':
        return 'Each picture is a job of its own. Five are painted at a time.';
      case 'done':
        return failed ? `${done} pictures, ${failed} went wrong.` : `All ${done} pictures are there.`;
      case 'cancelled':
        return `Stopped after ${done} pictures. The running ones were cancelled.`;
      case 'failed':
        return 'The gallery could not be painted.';
      default: {
        const left = remaining === undefined ? '' : ` · about ${Math.ceil(remaining / 1000)} s to go`;
        return `${done} of ${this.count} done, ${inFlight} at work${left}`;
      }
    }
  });

  readonly say = errorWords;
}
