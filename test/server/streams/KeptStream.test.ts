import { Observable, VirtualTimeScheduler, type Subscriber } from 'rxjs';
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
