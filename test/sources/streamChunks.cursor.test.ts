import { concat, of, take, timer, switchMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { streamChunks } from '../../src/sources/streamChunks.js';
import { streamCursor, type StreamCursor } from '../../src/sources/StreamCursor.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';
import { certain, chunk, events, replies } from './streams.js';
import { httpError, inTurn } from '../support/scripted.js';

const status = () => of(life.c);

describe('streamChunks with a cursor', () => {
  it(
    'S14 keeps the rest of an answer in the cursor, and reads no further',
    marbles((m) => {
      const cursor = streamCursor();
      const read = m.cold('-(x|)', replies);
      const result$ = streamChunks(() => read, { status, cursor }).pipe(take(2));
      m.expect(result$).toBeObservable('-(ab|)', events);
      m.expect(read).toHaveSubscriptions('^!');
      m.flush();
      expect(cursor).toStrictEqual({ count: 2, delivered: ['a', 'b'], pending: ['c'] });
    }),
  );

  it(
    'S14 reads no further where the last chunk of an answer was enough',
    marbles((m) => {
      const cursor = streamCursor();
      const read = m.cold('-(x|)', replies);
      m.expect(streamChunks(() => read, { status, cursor }).pipe(take(3))).toBeObservable('-(abc|)', events);
      m.expect(read).toHaveSubscriptions('^!');
      m.flush();
      expect(cursor).toStrictEqual({ count: 3, delivered: ['a', 'b', 'c'], pending: [] });
    }),
  );

  it(
    'S14 emits the chunks of the cursor, then those that it reads',
    marbles((m) => {
      const cursor = streamCursor();
      const first = m.cold(' (x|)', replies);
      const second = m.cold('----(d|)', replies);
      const end = m.cold('-(z|)', replies);
      const read = inTurn(first, second, end);
      const part = () => streamChunks(read, { status, cursor });
      const rest$ = timer(10).pipe(switchMap(part));
      m.expect(part().pipe(take(1))).toBeObservable('(a|)', events);
      m.expect(rest$).toBeObservable('----------(bc)d|', events);
      m.expect(first).toHaveSubscriptions('(^!)');
      m.expect(second).toHaveSubscriptions('----------^---!');
      m.flush();
      expect(cursor).toStrictEqual({ count: 4, delivered: ['a', 'b', 'c', 'd'], pending: [] });
    }),
  );

  it(
    'S16 has a gap after unsubscribing from a read in flight',
    marbles((m) => {
      const cursor = streamCursor();
      const first = m.cold('-(a|)', replies);
      const left = m.cold(' ---(b|)', replies);
      const unsub = '       --!';
      m.expect(streamChunks(inTurn(first, left), { status, cursor }), unsub).toBeObservable('-a-', events);
      m.expect(left).toHaveSubscriptions('-^!');
      m.flush();
      expect(cursor).toStrictEqual({ count: 1, delivered: ['a'], pending: [], gap: 'possibly' });
    }),
  );

  it(
    'S16 has no gap after unsubscribing in a pause',
    marbles((m) => {
      const cursor = streamCursor();
      const read = inTurn(m.cold('-(a|)', replies), m.cold('-(p|)', replies), m.cold('-(d|)', replies));
      m.expect(streamChunks(read, { status, cursor, pause: 5 }), '----!').toBeObservable('-a---', events);
      m.flush();
      expect(cursor).toStrictEqual({ count: 1, delivered: ['a'], pending: [] });
    }),
  );

  it(
    'S16 has no gap after unsubscribing behind a harmless failure, and keeps a certain one',
    marbles((m) => {
      const harmless = streamCursor();
      const read = m.cold('-#', undefined, httpError(429));
      m.expect(
        streamChunks(() => read, { status, cursor: harmless, pause: 5 }),
        '--!',
      ).toBeObservable('---');
      const sure = streamCursor();
      const lost = inTurn(m.cold('-#', undefined, certain), m.cold('---(p|)', replies));
      m.expect(streamChunks(lost, { status, cursor: sure, pause: 1 }), '---!').toBeObservable('----');
      m.flush();
      expect(harmless).toStrictEqual({ count: 0, delivered: [], pending: [] });
      expect(sure).toStrictEqual({ count: 0, delivered: [], pending: [], gap: 'certainly' });
    }),
  );

  it(
    'S16 holds the chunks after a gap of an earlier reading, and fills it',
    marbles((m) => {
      const cursor = streamCursor();
      const read = inTurn(
        m.cold('-(a|)', replies),
        m.cold('---(b|)', replies),
        m.cold('-(c|)', replies),
        m.cold('-(z|)', replies),
      );
      const recovered = job('COMPLETED', { output: ['a', 'b', 'c'] });
      const part = () => streamChunks(read, { status: () => of(recovered), cursor });
      m.expect(part(), '--!').toBeObservable('-a-', events);
      m.expect(timer(5).pipe(switchMap(part))).toBeObservable('-------(bc|)', events);
      m.flush();
      expect(cursor).toStrictEqual({ count: 3, delivered: ['a', 'b', 'c'], pending: [] });
    }),
  );

  it(
    'S16 marks the gap of an earlier reading first, or errors with it before any read',
    marbles((m) => {
      const left = () => ({ ...streamCursor(), count: 1, gap: 'possibly' as const });
      const read = inTurn(m.cold('-(d|)', replies), m.cold('-(z|)', replies));
      const marked$ = streamChunks(read, { status, cursor: left(), onGap: 'mark' });
      m.expect(marked$).toBeObservable('Gd|', events);
      const unread = m.cold('-(d|)', replies);
      const error = expect.objectContaining({ name: 'StreamGapError' });
      m.expect(streamChunks(() => unread, { status, cursor: left(), onGap: 'error' })).toBeObservable(
        '#',
        undefined,
        error,
      );
      m.expect(unread).toHaveSubscriptions([]);
    }),
  );

  it(
    'S16 counts on after the chunks that other readers were given, where a gap is marked',
    marbles((m) => {
      const behind = { ...streamCursor(), count: 1, gap: 'certainly' as const, next: 3 };
      const ahead = { ...streamCursor(), count: 5, gap: 'possibly' as const, next: 3 };
      const read = () => inTurn(m.cold('-(d|)', replies), m.cold('-(z|)', replies));
      const marked = (cursor: StreamCursor) => streamChunks(read(), { status, cursor, onGap: 'mark' });
      m.expect(marked(behind)).toBeObservable('Gd|', events);
      m.expect(marked(ahead)).toBeObservable('hd|', { ...events, h: { type: 'gap', delivered: 5 } });
      m.flush();
      expect([behind.count, ahead.count]).toStrictEqual([4, 6]);
    }),
  );

  it(
    'S16 cannot fill a gap after chunks that were delivered under mark',
    marbles((m) => {
      const cursor = streamCursor();
      const read = inTurn(m.cold('(a|)', replies), m.cold('-(b|)', replies), m.cold('(z|)', replies));
      const whole = job('COMPLETED', { output: ['a', 'b'] });
      const marked$ = streamChunks(read, { status, cursor, onGap: 'mark' });
      m.expect(marked$, '^!').toBeObservable('a', events);
      const held$ = timer(5).pipe(switchMap(() => streamChunks(read, { status: () => of(whole), cursor })));
      m.expect(held$).toBeObservable('-----#', undefined, expect.objectContaining({ name: 'StreamGapError' }));
      m.flush();
      expect(cursor).toStrictEqual({ count: 1, delivered: [], pending: [], gap: 'possibly' });
    }),
  );

  cases(
    'goes on after an error of reading',
    (m, { error, second }) => {
      const cursor = streamCursor();
      const read = inTurn(
        m.cold('(x|)', replies),
        m.cold('-----#', undefined, error),
        m.cold('-(d|)', replies),
        m.cold('-(z|)', replies),
      );
      const whole = job('COMPLETED', { output: ['a', 'b', 'c', 'd'] });
      const part = () => streamChunks(read, { status: () => of(whole), cursor, outage: 0, pause: 1 });
      m.expect(part()).toBeObservable('(abc)#', events, error);
      m.expect(timer(9).pipe(switchMap(part))).toBeObservable(second, events);
    },
    {
      'that took nothing': { error: httpError(401), second: '----------d|' },
      'that may have taken something': { error: new Error('a bug'), second: '-----------(d|)' },
    },
  );

  it(
    'reads the status again where it was unsubscribed from before the job’s end was known',
    marbles((m) => {
      const cursor = streamCursor();
      const read = inTurn(m.cold('(a|)', replies), m.cold('(f|)', replies));
      const state = m.cold('---(f|)', life);
      const part = () => streamChunks(read, { status: () => state, cursor });
      m.expect(part(), '-!').toBeObservable('a-', events);
      m.expect(timer(5).pipe(switchMap(part))).toBeObservable(
        '--------#',
        events,
        expect.objectContaining({ name: 'JobFailedError' }),
      );
      m.expect(state).toHaveSubscriptions(['^!', '-----^--!']);
    }),
  );

  it('goes on where the reading before stopped, in one pipe', () => {
    const cursor = streamCursor();
    const seen: unknown[] = [];
    const read = inTurn(of(replies.x!), of(replies.d!), of(replies.z!));
    const part$ = streamChunks(read, { status, cursor });
    concat(part$.pipe(take(1)), part$.pipe(take(1)), part$).subscribe((event) => seen.push(event));
    expect(seen).toStrictEqual(['a', 'b', 'c', 'd'].map(chunk));
  });
});
