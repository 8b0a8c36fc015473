import { NEVER, Observable, VirtualTimeScheduler, type Subscriber } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { ResponseError, type CallOptions, type StreamReply } from 'runpod-rx';
import { KeptStreams } from '../../../src/server/streams/KeptStreams.js';
import type { StreamPosition } from '../../../src/server/streams/StreamLog.js';
import { see } from '../events/pages.js';

interface Answer {
  readonly log: string;
  readonly from: number;
  readonly before: number;
  readonly gap?: string;
  readonly status: string;
  readonly replies: readonly { readonly stream: readonly { readonly output: unknown }[] }[];
}

const WAIT = 10_000;

/** The streams of an endpoint whose reads the test answers. */
function kept() {
  const scheduler = new VirtualTimeScheduler();
  const reads: { readonly id: string; readonly subscriber: Subscriber<StreamReply>; readonly options: CallOptions }[] =
    [];
  const endpoint = {
    readStream: (id: string, options: CallOptions = {}) =>
      new Observable<StreamReply>((subscriber) => {
        reads.push({ id, subscriber, options });
      }),
  };
  const streams = new KeptStreams(endpoint, scheduler, () => undefined);
  const open = () => reads.filter(({ subscriber }) => !subscriber.closed);
  return {
    streams,
    reads,
    open,
    wait(ms: number) {
      scheduler.maxFrames = scheduler.now() + ms;
      scheduler.schedule(() => undefined, ms);
      scheduler.flush();
    },
    /** The service answers the read that is in flight. */
    answers(status: string, ...chunks: readonly unknown[]) {
      const [read] = open();
      const text = JSON.stringify({ status, stream: chunks.map((output) => ({ output })) });
      read?.options.onReply?.({ status: 200, headers: {}, text });
      read?.subscriber.next({ status, chunks });
      read?.subscriber.complete();
    },
    fails(error: unknown) {
      open()[0]?.subscriber.error(error);
    },
    /** A page asks, and gets its answer, once there is one. */
    ask(position: StreamPosition, id = 'job-1') {
      const texts = see<string>(streams.ask(id, position).answer(position, WAIT));
      return {
        ...texts,
        get ended() {
          return texts.ended;
        },
        get answer(): Answer | undefined {
          const [text] = texts.values;
          return text === undefined ? undefined : (JSON.parse(text) as Answer);
        },
        get chunks(): readonly unknown[] | undefined {
          return this.answer?.replies.flatMap(({ stream }) => stream.map(({ output }) => output));
        },
        get next(): StreamPosition {
          const { log = '', from = 0, gap } = this.answer ?? {};
          const { length } = this.chunks ?? [];
          return { chunks: position.chunks + length, log, from: from + (gap ? 1 : 0) + length };
        },
      };
    },
  };
}

const START: StreamPosition = { chunks: 0 };
const unreadable = new ResponseError('an unreadable answer', { operation: 'stream' }, { excerpt: '{' });

describe('S16 what the service gave and nobody got', () => {
  test('stays a gap where the error of that read was told to the pages', () => {
    const { ask, wait, answers, fails } = kept();
    const first = ask(START);
    answers('IN_PROGRESS', 1);
    expect(first.chunks).toEqual([1]);
    wait(1);
    const second = ask(first.next);
    fails(unreadable);
    expect(second.ended).toContain('unreadable');
    const third = ask(first.next);
    wait(1);
    answers('IN_PROGRESS', 3);
    expect(third.answer).toMatchObject({ gap: 'possibly' });
    expect(third.chunks).toEqual([3]);
  });

  test('is no gap where no page asked any more, and no read was in flight', () => {
    const { ask, wait, answers, open } = kept();
    const first = ask(START);
    answers('IN_PROGRESS', 1);
    for (let nth = 0; nth < 8; nth++) {
      wait(10_000);
      answers('IN_PROGRESS');
    }
    wait(10_000);
    expect(open()).toHaveLength(0);
    const second = ask(first.next);
    answers('IN_PROGRESS', 2);
    expect(second.answer?.gap).toBeUndefined();
    expect(second.chunks).toEqual([2]);
  });

  test('may be what came before the server kept the stream, for a page that goes on', () => {
    const { ask, answers } = kept();
    const page = ask({ chunks: 3 });
    answers('IN_PROGRESS', 'd');
    expect(page.answer).toMatchObject({ before: 3, gap: 'possibly' });
    expect(page.chunks).toEqual(['d']);
  });
});

describe('S16 a page that knows nothing of places', () => {
  const plainly = (made: ReturnType<typeof kept>) => see<string>(made.streams.get('job-1')?.nextAnswer(WAIT) ?? NEVER);

  test('has an error where it may lack chunks, as from the service itself, and then what follows', () => {
    const made = kept();
    const { ask, wait, answers, fails } = made;
    const page = ask(START);
    answers('IN_PROGRESS', 1);
    wait(1);
    expect(plainly(made).values).toHaveLength(1);
    fails(new Error('the connection was cut'));
    const lossy = plainly(made);
    answers('IN_PROGRESS', 3);
    expect(page.chunks).toEqual([1]);
    expect(lossy.values).toEqual([]);
    expect(lossy.ended).toContain('lost');
    expect(plainly(made).values[0]).toContain('{"output":3}');
  });

  test('has an error where answers were dropped', () => {
    const made = kept();
    made.ask(START);
    made.answers('IN_PROGRESS', 1);
    made.streams.get('job-1')?.log.drop(0);
    const lossy = plainly(made);
    expect(lossy.values).toEqual([]);
    expect(lossy.ended).toContain('lost');
  });

  test('is told by no empty answer that a stream is over whose rest the server cannot read', () => {
    const made = kept();
    made.ask(START);
    made.answers('COMPLETED', 1);
    expect(plainly(made).values).toHaveLength(1);
    const next = plainly(made);
    made.wait(WAIT);
    expect(next.values).toEqual([]);
    expect(next.ended).toContain('not read');
  });

  test('has the stream kept for it, too', () => {
    const made = kept();
    made.ask(START);
    for (let minutes = 0; minutes < 40; minutes++) {
      made.wait(60_000);
      plainly(made);
    }
    made.ask(START, 'job-2');
    expect(made.streams.get('job-1')).toBeDefined();
  });
});

test('S16 a job that runs again while the service was being asked for its chunks may lack some', () => {
  const { ask, answers, streams } = kept();
  ask(START);
  streams.forget('job-1');
  const page = ask(START);
  answers('IN_PROGRESS', 2);
  expect(page.answer).toMatchObject({ before: 0, gap: 'possibly' });
});

test('a job that runs again while the service was not being asked lacks none', () => {
  const { ask, answers, streams } = kept();
  const first = ask(START);
  answers('FAILED', 1);
  ask(first.next);
  answers('FAILED');
  streams.forget('job-1');
  const page = ask(START);
  answers('IN_PROGRESS', 2);
  expect(page.answer?.gap).toBeUndefined();
  expect(page.chunks).toEqual([2]);
});

describe('a large answer of the service', () => {
  test('comes to the page that waits for it, and stays for its next question', () => {
    const { ask, answers } = kept();
    const large = 'x'.repeat(9_000_000);
    const page = ask(START);
    answers('IN_PROGRESS', large);
    expect(page.chunks).toEqual([large]);
    // The answer was lost.
    expect(ask(START).chunks).toEqual([large]);
  });

  test('comes to the page that waits for it, also where all streams have too much', () => {
    const { ask, answers } = kept();
    const page = ask(START);
    const large = 'x'.repeat(65_000_000);
    answers('IN_PROGRESS', large);
    expect(page.chunks?.[0] === large).toBe(true);
  });
});

test('a stream ends where the service says so late: an empty answer after a terminal status', () => {
  const { ask, wait, answers } = kept();
  const first = ask(START);
  answers('FAILED', 1);
  wait(1);
  answers('IN_PROGRESS');
  wait(1_000);
  answers('FAILED');
  expect(ask(first.next).answer).toMatchObject({ status: 'FAILED' });
});
