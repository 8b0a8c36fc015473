import {
  NEVER,
  Subject,
  Subscription,
  concat,
  concatMap,
  defer,
  filter,
  map,
  merge,
  of,
  startWith,
  take,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import {
  ResponseError,
  isTerminalStatus,
  streamChunks,
  streamCursor,
  type Endpoint,
  type StreamEvent,
  type StreamReply,
} from '../../index.js';
import { Refusal } from '../proxy/Refusal.js';
import { withoutWebhook } from '../proxy/withoutWebhook.js';
import { StreamLog, type LogAnswer, type StreamAnswer, type StreamPosition } from './StreamLog.js';

/**
 * How long a stream is read on after a page has asked for it, in milliseconds: a page that has all pushed to it asks each
 * 30 s, and waits up to 20 s for the answer.
 */
const WANTED = 60_000;

/** For how long after a failure the service's states may be older than its stream, in milliseconds. */
const MAY_RUN_AGAIN = 10_000;

/** What a page gets that knows nothing of places, while there is nothing. */
const EMPTY_ANSWER = '{"status":"IN_PROGRESS","stream":[]}';

/** What a {@link KeptStream} works with. */
export interface KeptStreamParts {
  readonly endpoint: Pick<Endpoint, 'readStream'>;
  readonly id: string;
  /** How many chunks the first page that asks has had. */
  readonly chunks: number;
  readonly scheduler: SchedulerLike;
  /** How many characters the reading may be ahead of the page that has had most. */
  readonly maxAhead: () => number;
  /** Called when the stream takes more or less memory than before. */
  readonly resized: (change: number) => void;
  /** Called when there is more to keep. */
  readonly grown: () => void;
  /** Called when the service has no more chunks. */
  readonly ended: () => void;
}

/**
 * A job's stream as its pages read it: the service is read once, by this reader, and each page gets what it has not had. It is
 * read for as long as pages ask for it, and no faster than the fastest of them. The reading stops between two reads, so that no
 * answer is lost.
 */
export class KeptStream {
  readonly log: StreamLog;
  readonly #parts: KeptStreamParts;
  /** Emits when the log has more, and when reading has failed. */
  readonly #change$ = new Subject<void>();
  /** Emits when reading stops before the stream is over. */
  readonly #stopped$ = new Subject<void>();
  #wantedUntil = 0;
  #reading = Subscription.EMPTY;
  #error: unknown;
  /** How far the service's stream is read: what a reading has lost is a gap also where the next one goes on. */
  readonly #cursor = streamCursor();
  /** Whether the service is being asked, rather than no more. */
  #isAsking = false;
  /** The status of the service's latest answer. A terminal one is final. */
  #status = '';
  #endedAt = 0;
  /** Where the readers that know nothing of places go on. */
  #plain: StreamPosition;

  constructor(parts: KeptStreamParts) {
    this.#parts = parts;
    this.log = new StreamLog(parts.chunks, parts.resized);
    this.#plain = this.log.end;
  }

  get isOver(): boolean {
    return this.log.isEnded;
  }

  /** Whether the job has failed so long ago that it may run again by now, by others than this server's pages. */
  get mayRunAgain(): boolean {
    const hasFailed = this.isOver && (this.#status === 'FAILED' || this.#status === 'TIMED_OUT');
    return hasFailed && this.#parts.scheduler.now() - this.#endedAt >= MAY_RUN_AGAIN;
  }

  /** What comes after a position: at once, or when it is there, or, without chunks, when the time is up, in milliseconds. */
  answer(position: StreamPosition, wait: number): Observable<string> {
    return this.#whenNews(position, wait).pipe(map(() => this.log.answerFor(position).text));
  }

  /**
   * The same for a page that knows nothing of places: it gets each answer of the service once, like all such pages together.
   * Errors as a read of the service would where chunks may be missing, since no answer could say so.
   */
  nextAnswer(wait: number): Observable<string> {
    return defer(() => this.#whenNews(this.#plain, wait)).pipe(
      map(() => {
        const { text, next, isLossy } = this.log.plainAnswerFor(this.#plain);
        this.#plain = next;
        this.log.noteHad(next);
        if (isLossy)
          throw new ResponseError('chunks of the stream may be lost', { operation: 'stream' }, { excerpt: '' });
        if (text !== undefined) return text;
        // An empty answer after that status would say that the stream is over.
        if (isTerminalStatus(this.#status)) throw new Refusal(429, 'the rest of the stream is not read yet');
        return EMPTY_ANSWER;
      }),
    );
  }

  /**
   * What comes from now on, each as an answer to a page. Begins with an answer that has nothing but its place. Completes when
   * the stream is over, and when it is not read any more.
   *
   * @param most - how many characters an answer may have. For one that has more, `undefined` comes
   */
  follow(most = Infinity): Observable<string | undefined> {
    return defer(() => {
      let position = this.log.end;
      const more$ = this.#change$.pipe(
        concatMap(() => this.#answersFrom(position)),
        tap(({ next }) => {
          position = next;
        }),
        takeWhile(({ isLast }) => !isLast, true),
        map(({ text, next }) => {
          if (text.length > most) return undefined;
          this.log.noteHad(next);
          return text;
        }),
        takeUntil(this.#stopped$),
      );
      return this.log.isEnded ? of(this.log.emptyAnswer) : concat(of(this.log.emptyAnswer), more$);
    });
  }

  /** Reads no more. Who waits for an answer gets none before its time is up. Returns whether a read was in flight. */
  stop(): boolean {
    const isReading = this.#isAsking && !this.#reading.closed;
    this.#reading.unsubscribe();
    this.#stopped$.next();
    return isReading;
  }

  #answersFrom(position: StreamPosition): readonly LogAnswer[] {
    const answers: LogAnswer[] = [];
    for (let at = position; this.log.hasNewsFor(at) && !answers.at(-1)?.isLast; at = answers.at(-1)?.next ?? at)
      answers.push(this.log.answerFor(at));
    return answers;
  }

  #whenNews(position: StreamPosition, wait: number): Observable<unknown> {
    return defer(() => {
      this.log.noteHad(position);
      this.#read();
      const news$ = this.#change$.pipe(
        startWith(undefined),
        filter(() => this.log.hasNewsFor(position) || this.#error !== undefined),
        concatMap(() => (this.log.hasNewsFor(position) ? of(undefined) : throwError(() => this.#error))),
      );
      return merge(news$, timer(wait, this.#parts.scheduler)).pipe(take(1));
    });
  }

  /** Has the stream read for a while. */
  #read(): void {
    const { scheduler } = this.#parts;
    this.#wantedUntil = scheduler.now() + WANTED;
    if (this.log.isEnded || !this.#reading.closed || !this.#isWanted) return;
    this.#error = undefined;
    const answer$ = streamChunks(() => this.#readOnce(), {
      onGap: 'mark',
      cursor: this.#cursor,
      reached: () => this.#isAsking,
      scheduler,
      // The pages find out by themselves what became of a job that did not complete.
      status: () => NEVER,
    });
    this.#reading = new Subscription();
    this.#reading.add(
      answer$.pipe(takeUntil(this.#stopped$)).subscribe({
        next: (event) => {
          this.#take(event);
        },
        error: (error: unknown) => {
          this.#error = error;
          this.#reading.unsubscribe();
          this.#change$.next();
          this.#stopped$.next();
        },
        complete: () => {
          this.#reading.unsubscribe();
        },
      }),
    );
  }

  /** Whether a page is there for what comes next. What is not read yet waits at the service. */
  get #isWanted(): boolean {
    const { scheduler, maxAhead } = this.#parts;
    return this.#wantedUntil >= scheduler.now() && !this.log.isAheadBy(maxAhead());
  }

  /** One read of the service: a chunk stands for a whole answer with chunks. */
  #readOnce(): Observable<StreamReply> {
    const { endpoint, id } = this.#parts;
    return defer(() => {
      this.#isAsking = this.#isWanted;
      if (!this.#isAsking) {
        this.#stopped$.next();
        return NEVER;
      }
      let text = '';
      const read$ = endpoint.readStream(id, {
        onReply: (reply) => {
          text = withoutWebhook(reply.text);
        },
      });
      const answered = () => {
        this.#isAsking = false;
      };
      return read$.pipe(
        tap({ next: answered, error: answered }),
        map(({ status: latest, chunks }) => {
          if (!isTerminalStatus(this.#status)) this.#status = latest;
          const status = this.#status;
          const answer: StreamAnswer = { text, status, count: chunks.length };
          if (answer.count) return { status, chunks: [answer] };
          if (isTerminalStatus(status)) this.#end(answer);
          return { status, chunks: [] };
        }),
      );
    });
  }

  #take(event: StreamEvent): void {
    if (event.type === 'gap') {
      this.log.addGap('possibly');
      return;
    }
    this.log.add(event.chunk as StreamAnswer);
    // Who waits for it gets it before there is too much to be kept.
    this.#change$.next();
    this.#parts.grown();
  }

  #end(answer: StreamAnswer): void {
    this.log.endWith(answer);
    this.#endedAt = this.#parts.scheduler.now();
    this.#reading.unsubscribe();
    this.#change$.next();
    this.#parts.ended();
  }
}
