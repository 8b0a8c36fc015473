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
  /** The service answers the read of a job. */
  const answersTo = (id: string, status: string, ...chunks: readonly unknown[]) => {
    const read = open().find((one) => one.id === id);
    const text = JSON.stringify({ status, stream: chunks.map((output) => ({ output })) });
    read?.options.onReply?.({ status: 200, headers: {}, text });
    read?.subscriber.next({ status, chunks });
    read?.subscriber.complete();
  };
  return {
    streams,
    reads,
    open,
    wait(ms: number) {
      scheduler.maxFrames = scheduler.now() + ms;
      scheduler.schedule(() => undefined, ms);
      scheduler.flush();
    },
    /** The service answers the read that is in flight, or the oldest one. */
    answers(status: string, ...chunks: readonly unknown[]) {
      answersTo(open()[0]?.id ?? '', status, ...chunks);
    },
    answersTo,
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

/** A page that asks, and begins to read its answer a second later. */
function slowPage({ ask, answers, open, wait }: ReturnType<typeof kept>, answersOfService: readonly string[]) {
  const waiting = [...answersOfService];
  const got: unknown[] = [];
  const gaps: unknown[] = [];
  let position = START;
  let mostAhead = 0;
  while (got.length < answersOfService.length) {
    while (open().length && waiting.length) answers('IN_PROGRESS', waiting.shift());
    const page = ask(position);
    if (!page.answer) answers('IN_PROGRESS', waiting.shift());
    mostAhead = Math.max(mostAhead, answersOfService.length - waiting.length - got.length);
    got.push(...(page.chunks ?? []));
    gaps.push(page.answer?.gap);
    if (page.answer?.from !== (position.from ?? 0)) throw new Error(`a gap after ${got.length} chunks`);
    position = page.next;
    wait(1_000);
  }
  return { got, gaps, mostAhead };
}

describe('S16 a page that reads more slowly than the worker yields', () => {
  const large = (nth: number) => `${nth} `.padEnd(900_000, 'x');

  test('loses nothing: what it has not had stays at the service', () => {
    const all = Array.from({ length: 30 }, (_, nth) => large(nth));
    const { got, gaps, mostAhead } = slowPage(kept(), all);
    expect(got.map((chunk) => String(chunk).slice(0, 3))).toEqual(all.map((chunk) => chunk.slice(0, 3)));
    expect(gaps.filter(Boolean)).toEqual([]);
    expect(mostAhead).toBeLessThanOrEqual(4);
  });

  test('loses nothing to an answer that is larger than what is kept', () => {
    const all = [large(0), large(1), 'y'.repeat(9_000_000), large(3)];
    expect(slowPage(kept(), all).got).toEqual(all);
  });

  test('holds up no faster page', () => {
    const { ask, answers, wait } = kept();
    ask(START);
    let position = START;
    for (let nth = 0; nth < 20; nth++) {
      answers('IN_PROGRESS', large(nth));
      const fast = ask(position);
      expect(fast.chunks).toHaveLength(1);
      position = fast.next;
      ask(position);
      wait(1);
    }
  });

  test('loses nothing to the streams of many others', () => {
    const { ask, answers, open, wait } = kept();
    const ids = Array.from({ length: 40 }, (_, nth) => `job-${nth}`);
    for (const id of ids) ask(START, id);
    // Each worker yields as long as it is read.
    for (let nth = 0; nth < 4 * ids.length && open().length; nth++) answers('IN_PROGRESS', large(nth));
    wait(1_000);
    for (const id of ids) {
      const page = ask(START, id);
      if (!page.answer) answers('IN_PROGRESS', large(0));
      expect(page.answer).toMatchObject({ from: 0, before: 0 });
    }
  });
});

test('S16 what pages have had makes room first, before what they have not', () => {
  const { ask, answersTo, wait } = kept();
  ask(START, 'old');
  answersTo('old', 'IN_PROGRESS', 'not had yet');
  for (let nth = 0; nth < 12; nth++) {
    const id = `job-${nth}`;
    const page = ask(START, id);
    answersTo(id, 'IN_PROGRESS', 'x'.repeat(7_000_000));
    ask(page.next, id);
    wait(1);
  }
  expect(ask(START, 'old').chunks?.[0]).toBe('not had yet');
});

test('a stream that is being read is kept, however many others there are', () => {
  const { ask, answers } = kept();
  const page = ask(START, 'first');
  for (let nth = 0; nth < 10_050; nth++) ask(START, `job-${nth}`);
  answers('IN_PROGRESS', 1);
  expect(page.chunks).toEqual([1]);
  expect(ask(page.next, 'first').answer?.gap).toBeUndefined();
});

test('S16 a page that counts chunks of the run before takes nothing from the others', () => {
  const { ask, answers, streams } = kept();
  const before = ask(START);
  answers('FAILED', 1, 2);
  ask(before.next);
  answers('FAILED');
  streams.forget('job-1');
  const stale = ask({ chunks: 2 });
  const fresh = ask(START);
  answers('IN_PROGRESS', 3);
  expect(fresh.answer).toMatchObject({ from: 0, before: 0 });
  expect(fresh.answer?.gap).toBeUndefined();
  expect(fresh.chunks).toEqual([3]);
  // It has two, and is told of the first one: of another run, that is.
  expect(stale.answer).toMatchObject({ from: 0, before: 0 });
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
