import { ChangeDetectionStrategy, Component, computed, signal } from '@angular/core';
import { injectEndpoint, jobResource } from 'runpod-rx/angular';
import { errorWords, statusWords } from './words';

const EXAMPLES = ['a lighthouse keeper who collects storms', 'the last library on Mars', 'a fox who learns to sail'];

/** A prompt with suggestions while one types, and a story that streams. */
@Component({
  selector: 'app-story',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section class="hero">
      <h1>Tell me a story about …</h1>
      <form class="prompt" (submit)="$event.preventDefault(); write(prompt())">
        <input
          #box
          name="prompt"
          aria-label="What the story is about"
          autocomplete="off"
          placeholder="a lighthouse keeper who collects storms"
          [value]="prompt()"
          (input)="prompt.set(box.value)"
        />
        <button class="primary" [disabled]="!prompt().trim() || story.isLoading()">Write</button>
      </form>
      <div class="chips" aria-live="polite">
        @for (text of suggestions(); track text) {
          <button type="button" class="chip" (click)="prompt.set(text); write(text)">{{ text }}</button>
        }
        @if (suggesting.isLoading()) {
          <span class="chip ghost">thinking …</span>
        }
      </div>
    </section>

    @if (story.status() !== 'idle') {
      <article class="card paper">
        <div class="bar">
          <span class="badge" [class]="story.status()">{{ status() }}</span>
          <span class="grow"></span>
          @if (story.isLoading()) {
            <button type="button" (click)="story.cancel()">Stop</button>
          } @else {
            <button type="button" (click)="story.runAgain()">Write again</button>
          }
        </div>
        <h2>{{ topic() }}</h2>
        <p class="text">
          {{ text() }}
          @if (story.isLoading()) {
            <span class="caret" aria-hidden="true"></span>
          }
        </p>
        @if (story.status() === 'cancelled') {
          <p class="note">Stopped. What was written so far stays.</p>
        }
        @if (story.error(); as error) {
          <p class="problem" role="alert">{{ say(error) }}</p>
        }
      </article>
    } @else {
      <p class="hint">Type a few words, or pick one of the suggestions. The story appears as it is written.</p>
    }
  `,
})
export class Story {
  readonly prompt = signal('');
  readonly topic = signal('');

  readonly suggesting = jobResource({
    endpoint: injectEndpoint<{ prompt: string }, { suggestions: string[] }>('suggest'),
    request: () => (this.prompt().trim().length > 2 ? { input: { prompt: this.prompt().trim() } } : undefined),
    debounce: 300,
  });

  readonly story = jobResource({
    endpoint: injectEndpoint<{ prompt: string }, string[], string>('story'),
    request: () => (this.topic() ? { input: { prompt: this.topic() } } : undefined),
    stream: true,
  });

  readonly suggestions = computed(() => this.suggesting.value()?.suggestions ?? (this.prompt() ? [] : EXAMPLES));
  readonly text = computed(() => this.story.chunks().join(''));
  readonly status = computed(() =>
    this.text() && this.story.isLoading() ? 'Writing' : statusWords(this.story.status()),
  );
  readonly say = errorWords;

  write(prompt: string): void {
    this.topic.set(prompt.trim());
  }
}
