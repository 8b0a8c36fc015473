import type { SchedulerLike } from 'rxjs';
import { isTerminal, type Diagnosis, type JobEvent } from '../../index.js';
import { seconds } from '../seconds.js';
import { line, paint } from '../Text.js';
import { diagnosisWords } from './diagnosisWords.js';
import type { Session } from './Session.js';

/** Shows what happens to a job: a status line, its progress, and its chunks as they come. */
export class JobDisplay {
  readonly #session: Session;
  readonly #scheduler: SchedulerLike;
  readonly #startedAt: number;
  #state: 'sending' | 'queued' | 'running' = 'sending';
  #progress = '';
  #why = '';
  /** Whether chunks were written: the status line has no place below text that goes on. */
  #hasChunks = false;
  /** Whether the output is in the middle of a line. */
  #isInLine = false;

  constructor(session: Session, scheduler: SchedulerLike) {
    this.#session = session;
    this.#scheduler = scheduler;
    this.#startedAt = scheduler.now();
  }

  take(event: JobEvent): void {
    switch (event.type) {
      case 'submitted':
        this.#session.say(paint('dim', `job ${event.id}`));
        break;
      case 'state':
        if (!isTerminal(event.snapshot)) this.#setState(event.snapshot.status === 'IN_QUEUE' ? 'queued' : 'running');
        break;
      case 'progress':
        this.#showProgress(typeof event.progress === 'string' ? event.progress : JSON.stringify(event.progress));
        break;
      case 'chunk':
        this.#writeChunk(event.chunk);
        break;
      case 'gap':
        this.#session.say(paint('yellow', `chunks may be missing after the first ${event.delivered}`));
        break;
      default:
        break;
    }
  }

  explain(diagnosis: Diagnosis): void {
    this.#why = diagnosisWords(diagnosis);
  }

  draw(): void {
    if (this.#hasChunks) return;
    const elapsed = seconds(this.#scheduler.now() - this.#startedAt);
    const more = this.#session.trouble || (this.#state === 'queued' ? this.#why : this.#progress);
    this.#session.status([line`${this.#state}  ${paint('dim', elapsed)}  ${more}`]);
  }

  /** Ends what is on the screen, so that a line can follow. */
  end(): void {
    this.#session.status([]);
    if (this.#isInLine) this.#session.write('\n');
    this.#isInLine = false;
  }

  #setState(state: 'queued' | 'running'): void {
    if (state !== this.#state && !this.#session.isLive && !this.#hasChunks) this.#session.say(state);
    this.#state = state;
  }

  #showProgress(progress: string): void {
    this.#progress = progress;
    if (!this.#session.isLive) this.#session.say(`progress: ${progress}`);
  }

  /** Texts follow each other as they are; any other chunk is a line of JSON. */
  #writeChunk(chunk: unknown): void {
    const isText = typeof chunk === 'string' && !this.#session.json;
    if (!this.#hasChunks) this.#session.status([]);
    this.#hasChunks = true;
    this.#session.write(isText ? chunk : `${JSON.stringify(chunk ?? null)}\n`);
    this.#isInLine = isText && !chunk.endsWith('\n');
  }
}
