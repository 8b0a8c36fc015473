import { NEVER, Observable, Subject, defer, of, takeUntil, throwError, timer, type Subscription } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { RateLimiter } from '../../src/http/RateLimiter.js';
import { MAX_TIMER } from '../../src/protocol/limits.js';
import type { OperationLimits } from '../../src/types/Limits.js';
import { clock } from '../support/world.js';

interface RequestOptions {
  readonly urgent?: boolean;
  /** Milliseconds from the start of the request to its answer. Without it, the request lasts until it is unsubscribed. */
  readonly takes?: number;
  /** Called when the request starts. */
  readonly onStart?: () => void;
}

/**
 * A rate limiter on a virtual clock, for an endpoint with `endpoint.workers` running workers. The log says when a request
 * was sent (`0 send a`), and when a request began to wait and how many requests waited then (`0 wait b 1`).
 */
function limited(limits: OperationLimits) {
  const { scheduler, at, until } = clock();
  const endpoint = { workers: 0 };
  const limiter = new RateLimiter(limits, scheduler, () => endpoint.workers);
  const log: string[] = [];
  const note = (what: string) => {
    log.push(`${scheduler.now()} ${what}`);
  };
  const answer = (takes: number) => (takes ? timer(takes, scheduler) : of(0));
  const request = (name: string, { urgent = false, takes, onStart }: RequestOptions = {}) =>
    limiter.run(
      defer(() => {
        note(`send ${name}`);
        onStart?.();
        return takes === undefined ? NEVER : answer(takes);
      }),
      {
        urgent,
        onWait: (waiting) => {
          note(`wait ${name} ${waiting}`);
        },
      },
    );
  return {
    limiter,
    scheduler,
    endpoint,
    log,
    at,
    until,
    request,
    send: (name: string, options?: RequestOptions) => request(name, options).subscribe(),
    /** A callback for a free place, with an entry in the log such as `0 wake`. */
    wake: (name = 'wake') =>
      vi.fn(() => {
        note(name);
      }),
    /** When the timers fire that have not fired yet. */
    timers: () => scheduler.actions.map(({ delay }) => delay),
  };
}

/** Limits under which one request is sent in each window, with a request that has been sent and answered at 0. */
function oneSent() {
  const made = limited({ requests: 1, per: 1_000 });
  made.send('a', { takes: 0 });
  made.log.length = 0;
  return made;
}

describe('S23 the rate of a limiter', () => {
  test.each<[string, OperationLimits, number, number]>([
    ['the requests of the window', { requests: 30, per: 2_000 }, 0, 30 / 2_000],
    ['the requests of ten seconds by default', { requests: 30 }, 0, 30 / 10_000],
    ['the requests, where the workers allow fewer', { requests: 30, per: 1_000, perWorker: 10 }, 2, 30 / 1_000],
    ['the sum of the workers, where it is more', { requests: 30, per: 1_000, perWorker: 10 }, 4, 40 / 1_000],
    ['the requests, where a worker adds nothing', { requests: 30, per: 1_000 }, 100, 30 / 1_000],
    ['one request in a window at least', { requests: 0, per: 1_000 }, 0, 1 / 1_000],
    ['infinite, where only the concurrency is limited', { concurrent: 3 }, 0, Infinity],
    ['infinite, where nothing is limited', {}, 0, Infinity],
  ])('is %s', (_, limits, workers, rate) => {
    const { limiter, endpoint } = limited(limits);
    endpoint.workers = workers;
    expect(limiter.rate).toBe(rate);
  });
});

describe('S23 a limited request', () => {
  const options = { urgent: false, onWait: () => undefined };

  test('passes on the answer, the completion and the error', () => {
    const { limiter } = limited({ requests: 10 });
    const received: unknown[] = [];
    const observer = {
      next: (value: unknown) => received.push(value),
      error: (error: unknown) => received.push(error),
      complete: () => received.push('complete'),
    };
    limiter.run(of('answer'), options).subscribe(observer);
    limiter
      .run(
        throwError(() => 'failure'),
        options,
      )
      .subscribe(observer);
    expect(received).toEqual(['answer', 'complete', 'failure']);
  });

  test('is aborted when its subscriber unsubscribes', () => {
    const { limiter } = limited({ requests: 10 });
    const abort = vi.fn();
    const subscription = limiter.run(new Observable(() => abort), options).subscribe();
    expect(abort).not.toHaveBeenCalled();
    subscription.unsubscribe();
    expect(abort).toHaveBeenCalledTimes(1);
  });

  test('is sent once for each subscription, and not before', () => {
    const { request, log } = limited({ requests: 10 });
    const twice = request('a', { takes: 0 });
    expect(log).toEqual([]);
    twice.subscribe();
    twice.subscribe();
    expect(log).toEqual(['0 send a', '0 send a']);
  });
});

describe('S23 a limit of requests per window', () => {
  test('counts a request until a window and a millisecond after its end', () => {
    const { log, at, send, until } = limited({ requests: 1, per: 1_000 });
    send('a', { takes: 300 });
    at(1_300, () => send('b'));
    until(10_000);
    expect(log).toEqual(['0 send a', '1300 wait b 1', '1301 send b']);
  });

  test('sends a request at once that comes a window and a millisecond after the end of the last', () => {
    const { log, at, send, until } = limited({ requests: 1, per: 1_000 });
    send('a', { takes: 300 });
    at(1_301, () => send('b'));
    until(10_000);
    expect(log).toEqual(['0 send a', '1301 send b']);
  });

  test('sends nothing a fraction of a millisecond earlier: the clock may be ahead of the time by as much', () => {
    const { log, at, send, until } = limited({ requests: 1, per: 1_000 });
    send('a', { takes: 300.75 });
    at(1_301.5, () => send('b'));
    until(10_000);
    expect(log).toEqual(['0 send a', '1301.5 wait b 1', '1301.75 send b']);
  });

  test('has a window of ten seconds by default', () => {
    const { log, send, until } = limited({ requests: 1 });
    for (const name of ['a', 'b']) send(name, { takes: 0 });
    until(30_000);
    expect(log).toEqual(['0 send a', '0 wait b 1', '10001 send b']);
  });

  test('gives back the place of each request a window after its own end', () => {
    const { log, at, send, until } = limited({ requests: 3, per: 1_000 });
    for (const [ms, name] of [
      [0, 'a'],
      [400, 'b'],
      [800, 'c'],
      [900, 'd'],
      [900, 'e'],
      [900, 'f'],
    ] as const)
      at(ms, () => send(name, { takes: 0 }));
    until(10_000);
    expect(log).toEqual([
      '0 send a',
      '400 send b',
      '800 send c',
      '900 wait d 1',
      '900 wait e 2',
      '900 wait f 3',
      '1001 send d',
      '1401 send e',
      '1801 send f',
    ]);
  });

  test('counts requests in flight and requests that ended within the window', () => {
    const { limiter, at, send, until } = limited({ requests: 4, per: 1_000 });
    const free: number[] = [];
    for (const ms of [0, 100, 1_100, 1_101, 5_000]) at(ms, () => free.push(limiter.freePlaces()));
    send('a');
    send('b', { takes: 100 });
    send('c', { takes: 0 });
    until(10_000);
    // From 100 on `a` is in flight. The end of `c` counts until 1000, that of `b` until 1100.
    expect(free).toEqual([1, 1, 2, 3, 3]);
  });

  test('counts a window from when a request is unsubscribed', () => {
    const { log, at, send, until } = limited({ requests: 1, per: 1_000 });
    const first = send('a');
    send('b');
    at(500, () => {
      first.unsubscribe();
    });
    until(10_000);
    expect(log).toEqual(['0 send a', '0 wait b 1', '1501 send b']);
  });

  test('sets no timer while the requests that count are all in flight', () => {
    const { send, timers } = limited({ requests: 2, per: 1_000 });
    for (const name of ['a', 'b', 'c']) send(name);
    expect(timers()).toEqual([]);
  });

  test('sets one timer, however many requests wait', () => {
    const { send, timers } = oneSent();
    for (const name of ['b', 'c', 'd']) send(name);
    expect(timers()).toEqual([1_001]);
  });

  test('grows with the number of running workers', () => {
    const { log, endpoint, at, send, until } = limited({ requests: 1, per: 1_000, perWorker: 2 });
    endpoint.workers = 2;
    for (const name of ['a', 'b', 'c', 'd', 'e']) send(name, { takes: 0 });
    expect(log.slice(3)).toEqual(['0 send d', '0 wait e 1']);
    at(500, () => {
      endpoint.workers = 3;
      send('f', { takes: 0 });
    });
    until(500);
    expect(log.slice(5)).toEqual(['500 send e', '500 send f']);
  });

  test('waits longer than the longest timer', () => {
    const { log, send, timers, until } = limited({ requests: 1, per: MAX_TIMER + 1_000 });
    for (const name of ['a', 'b']) send(name, { takes: 0 });
    expect(timers()).toEqual([MAX_TIMER]);
    until(MAX_TIMER + 1_000);
    expect(log).toEqual(['0 send a', '0 wait b 1']);
    until(MAX_TIMER + 1_001);
    expect(log.at(-1)).toBe(`${MAX_TIMER + 1_001} send b`);
  });
});

describe('S23 a limit of concurrent requests', () => {
  test.each<[string, (answer: Subject<unknown>, subscription: Subscription) => void]>([
    ['completes', (answer) => answer.complete()],
    ['fails', (answer) => answer.error('failure')],
    ['is unsubscribed', (_, subscription) => subscription.unsubscribe()],
  ])('sends the next request as soon as a request %s', (_, end) => {
    const { limiter, log, at, send, until } = limited({ concurrent: 2 });
    const answer = new Subject<unknown>();
    const first = limiter.run(answer, { urgent: false, onWait: () => undefined }).subscribe({ error: () => undefined });
    for (const name of ['b', 'c', 'd']) send(name);
    at(700, () => {
      end(answer, first);
    });
    until(10_000);
    expect(log).toEqual(['0 send b', '0 wait c 1', '0 wait d 2', '700 send c']);
  });

  test('sets no timer', () => {
    const { send, timers } = limited({ concurrent: 1 });
    for (const name of ['a', 'b']) send(name);
    expect(timers()).toEqual([]);
  });

  test('sets no timer while it is reached, even where the rate allows no request either', () => {
    const { send, timers } = limited({ requests: 2, concurrent: 1 });
    send('a', { takes: 0 });
    for (const name of ['b', 'c']) send(name);
    expect(timers()).toEqual([]);
  });

  test('leaves as many places as requests are missing', () => {
    const { limiter, send } = limited({ concurrent: 2 });
    const free = [limiter.freePlaces()];
    for (const name of ['a', 'b', 'c']) {
      send(name);
      free.push(limiter.freePlaces());
    }
    expect(free).toEqual([2, 1, 0, 0]);
  });

  test('counts together with the limit of requests, and the smaller number of places holds', () => {
    const { limiter, send } = limited({ requests: 3, concurrent: 2 });
    const free = [limiter.freePlaces()];
    for (const name of ['a', 'b', 'c']) {
      send(name, { takes: 0 });
      free.push(limiter.freePlaces());
    }
    expect(free).toEqual([2, 2, 1, 0]);
  });

  test('remembers no ends of requests, since there is no window', () => {
    const { scheduler, send } = limited({ concurrent: 1 });
    const request = send('a');
    const now = vi.spyOn(scheduler, 'now');
    request.unsubscribe();
    expect(now).not.toHaveBeenCalled();
  });
});

describe('S23 without limits', () => {
  test('sends every request at once', () => {
    const { limiter, log, send, timers } = limited({});
    for (let nth = 0; nth < 1_000; nth++) send('a', nth % 2 ? { takes: 0 } : {});
    expect(log).toHaveLength(1_000);
    expect(new Set(log)).toEqual(new Set(['0 send a']));
    expect(limiter.freePlaces()).toBe(Infinity);
    expect(timers()).toEqual([]);
  });
});

describe('S23 the order of requests', () => {
  test('is urgent requests, then all others, then callbacks, each in the order in which they came', () => {
    const { limiter, log, send, wake, until } = limited({ concurrent: 1 });
    send('a', { takes: 100 });
    send('b', { takes: 100 });
    limiter.freePlaces(wake());
    send('urgent-1', { takes: 100, urgent: true });
    send('c', { takes: 100 });
    send('urgent-2', { takes: 100, urgent: true });
    until(10_000);
    expect(log).toEqual([
      '0 send a',
      '0 wait b 1',
      '0 wait urgent-1 2',
      '0 wait c 3',
      '0 wait urgent-2 4',
      '100 send urgent-1',
      '200 send urgent-2',
      '300 send b',
      '400 send c',
      '500 wake',
    ]);
  });

  test('holds for requests that are added while a request starts', () => {
    const { log, send } = limited({ concurrent: 1 });
    send('a', {
      takes: 0,
      onStart: () => {
        send('b', { takes: 0 });
        send('urgent', { takes: 0, urgent: true });
      },
    });
    expect(log).toEqual(['0 send a', '0 wait b 1', '0 wait urgent 2', '0 send urgent', '0 send b']);
  });

  test('starts a request after the start of another has returned', () => {
    const { log, send } = limited({});
    send('a', {
      onStart: () => {
        send('b');
        log.push('a has started');
      },
    });
    expect(log).toEqual(['0 send a', '0 wait b 1', 'a has started', '0 send b']);
  });

  test('is kept without recursion, however many requests answer at once', () => {
    const { log, send } = limited({ requests: 20_000, concurrent: 1 });
    const sendFrom = (nth: number): void => {
      if (nth < 20_000)
        send('a', {
          takes: 0,
          onStart: () => {
            sendFrom(nth + 1);
          },
        });
    };
    sendFrom(0);
    expect(log.filter((line) => line === '0 send a')).toHaveLength(20_000);
  });
});

describe('S23 leaving the queue', () => {
  test('gives the turn to the next request', () => {
    const { log, at, send, timers, until } = oneSent();
    const second = send('b');
    send('c');
    at(500, () => {
      second.unsubscribe();
    });
    until(500);
    expect(timers()).toEqual([1_001]);
    until(10_000);
    expect(log).toEqual(['0 wait b 1', '0 wait c 2', '1001 send c']);
  });

  test.each([true, false])('takes a request (urgent: %s) out of the number of waiting requests', (urgent) => {
    const { log, send } = oneSent();
    send('b', { urgent }).unsubscribe();
    send('c');
    expect(log).toEqual(['0 wait b 1', '0 wait c 1']);
  });

  test.each([true, false])('stops the timer, when no request waits any more (urgent: %s)', (urgent) => {
    const { log, send, timers, until } = oneSent();
    const waiting = send('b', { urgent });
    expect(timers()).toEqual([1_001]);
    waiting.unsubscribe();
    expect(timers()).toEqual([]);
    until(10_000);
    expect(log).toEqual(['0 wait b 1']);
  });

  test('keeps the timer for a callback that waits', () => {
    const { limiter, log, send, wake, until } = oneSent();
    limiter.freePlaces(wake());
    send('b').unsubscribe();
    until(10_000);
    expect(log).toEqual(['0 wait b 1', '1001 wake']);
  });

  test('takes no place, when the start of an earlier request makes the subscriber leave', () => {
    const { limiter, log, at, request, send, timers, until } = limited({ requests: 2, per: 1_000 });
    const leave = new Subject<void>();
    // Runs before the timer of the request that waits, which is set later for the same moment.
    at(1_001, () => request('leaving').pipe(takeUntil(leave)).subscribe());
    for (const name of ['a', 'b']) send(name, { takes: 0 });
    send('waiting', {
      takes: 0,
      onStart: () => {
        leave.next();
      },
    });
    until(1_001);
    expect(log).toEqual(['0 send a', '0 send b', '0 wait waiting 1', '1001 send waiting']);
    expect(limiter.freePlaces()).toBe(1);
    expect(timers()).toEqual([]);
  });
});

describe('S23 asking for free places', () => {
  test('calls the callback once, when a place is free', () => {
    const { limiter, log, wake, timers, until } = oneSent();
    expect(limiter.freePlaces(wake())).toBe(0);
    expect(timers()).toEqual([1_001]);
    until(10_000);
    expect(log).toEqual(['1001 wake']);
  });

  test('does not call the callback, where a place is free now', () => {
    const { limiter, wake, send, until } = limited({ concurrent: 1 });
    const woken = wake();
    expect(limiter.freePlaces(woken)).toBe(1);
    send('a', { takes: 100 });
    until(10_000);
    expect(woken).not.toHaveBeenCalled();
  });

  test('needs no callback', () => {
    const { limiter, log, timers, send, until } = oneSent();
    expect(limiter.freePlaces()).toBe(0);
    expect(timers()).toEqual([]);
    send('b', { takes: 0 });
    until(10_000);
    expect(log).toEqual(['0 wait b 1', '1001 send b']);
  });

  test('calls a callback once that was given twice', () => {
    const { limiter, log, wake, until } = oneSent();
    const woken = wake();
    limiter.freePlaces(woken);
    limiter.freePlaces(woken);
    until(10_000);
    expect(log).toEqual(['1001 wake']);
  });

  test('calls the callback only when no request waits', () => {
    const { limiter, log, send, wake, until } = oneSent();
    limiter.freePlaces(wake());
    send('b', { takes: 0 });
    until(10_000);
    expect(log).toEqual(['0 wait b 1', '1001 send b', '2002 wake']);
  });

  test('finds none while a request waits, even in the turn in which places become free', () => {
    const { limiter, at, send, until } = limited({ concurrent: 3 });
    const free: number[] = [];
    limiter.slowDown(500);
    for (const name of ['a', 'b']) send(name, { onStart: () => free.push(limiter.freePlaces()) });
    at(500, () => free.push(limiter.freePlaces()));
    until(500);
    expect(free).toEqual([0, 1, 1]);
  });

  test('calls the callback also where more requests are in flight than are allowed', () => {
    const { limiter, log, endpoint, send, wake, until } = limited({ requests: 1, per: 1_000, perWorker: 1 });
    endpoint.workers = 2;
    for (const name of ['a', 'b']) send(name, { takes: 300 });
    endpoint.workers = 1;
    expect(limiter.freePlaces(wake())).toBe(-1);
    until(10_000);
    expect(log).toEqual(['0 send a', '0 send b', '1301 wake']);
  });

  test('sends a request at once that a callback makes', () => {
    const { limiter, log, send, until } = oneSent();
    limiter.freePlaces(() => {
      send('b');
      log.push('callback has returned');
    });
    until(10_000);
    expect(log).toEqual(['1001 send b', 'callback has returned']);
  });

  test('lets a callback use the places one by one, and ask again', () => {
    const { limiter, log, send, until } = limited({ requests: 2, per: 1_000 });
    let sent = 0;
    const sendAll = () => {
      while (sent < 5 && limiter.freePlaces(sendAll) > 0) send(String(++sent), { takes: 0 });
    };
    sendAll();
    until(10_000);
    expect(log).toEqual(['0 send 1', '0 send 2', '1001 send 3', '1001 send 4', '2002 send 5']);
  });

  test('calls the next callback later, where a callback uses the last place', () => {
    const { limiter, log, send, wake, until } = oneSent();
    limiter.freePlaces(() => send('b', { takes: 0 }));
    limiter.freePlaces(wake());
    until(10_000);
    expect(log).toEqual(['1001 send b', '2002 wake']);
  });

  test('lets a callback ask again, before the next callback is called', () => {
    const { limiter, log, send, wake, until } = oneSent();
    const sendIfFree = () => {
      if (limiter.freePlaces(sendIfFree) > 0) send('b', { takes: 0 });
    };
    sendIfFree();
    limiter.freePlaces(wake());
    until(10_000);
    expect(log).toEqual(['1001 send b', '2002 wake']);
  });

  test('calls all callbacks, where no callback uses the place', () => {
    const { limiter, log, wake, until } = oneSent();
    limiter.freePlaces(wake('first'));
    limiter.freePlaces(wake('second'));
    until(10_000);
    expect(log).toEqual(['1001 first', '1001 second']);
  });

  test('are none while a request waits, and the callback comes once that request was sent', () => {
    const { limiter, log, at, send, wake, until } = limited({ concurrent: 3 });
    const woken = wake();
    const free: number[] = [];
    // Runs before the timer of the request that waits, which is set later for the same moment.
    at(5_000, () => free.push(limiter.freePlaces(woken)));
    limiter.slowDown(5_000);
    send('a');
    until(10_000);
    expect(log).toEqual(['0 wait a 1', '5000 send a', '5000 wake']);
    expect(free).toEqual([0]);
    expect(woken).toHaveBeenCalledTimes(1);
  });

  test('does not call the callback within the call, where the clock ticks meanwhile', () => {
    const { limiter, scheduler, log, send, wake, until } = limited({ requests: 1, per: 1_000 });
    send('a', { takes: 0 });
    until(1_000);
    log.length = 0;
    const woken = wake();
    const now = vi.spyOn(scheduler, 'now').mockReturnValueOnce(1_000).mockReturnValue(1_001);
    expect(limiter.freePlaces(woken)).toBe(0);
    expect(woken).not.toHaveBeenCalled();
    now.mockRestore();
    until(10_000);
    expect(log).toEqual(['1001 wake']);
  });

  test('sends nothing, where there is no callback', () => {
    const { limiter, log, at, send, until } = limited({ concurrent: 3 });
    at(5_000, () => log.push(`5000 free ${limiter.freePlaces()}`));
    limiter.slowDown(5_000);
    send('a');
    until(10_000);
    expect(log).toEqual(['0 wait a 1', '5000 free 0', '5000 send a']);
  });

  test('answers that there is no place before it calls the callback', () => {
    const { limiter, log, at, send, wake, until } = limited({ requests: 1, per: 1_000 });
    at(1_001, () => log.push(`1001 free ${limiter.freePlaces(wake())}`));
    for (const name of ['a', 'b']) send(name, { takes: 0 });
    until(10_000);
    expect(log).toEqual(['0 send a', '0 wait b 1', '1001 free 0', '1001 send b', '2002 wake']);
  });

  test('does not call a callback that stopped waiting, and stops the timer', () => {
    const { limiter, log, wake, timers, until } = oneSent();
    const woken = wake();
    limiter.freePlaces(woken);
    limiter.stopWaiting(woken);
    expect(timers()).toEqual([]);
    until(10_000);
    expect(log).toEqual([]);
  });

  test('calls other callbacks after a callback stopped waiting', () => {
    const { limiter, log, wake, until } = oneSent();
    const [first, second] = [wake('first'), wake('second')];
    limiter.freePlaces(first);
    limiter.freePlaces(second);
    limiter.stopWaiting(first);
    until(10_000);
    expect(log).toEqual(['1001 second']);
  });

  test.each([true, false])('still sends a request (urgent: %s) after the last callback stopped waiting', (urgent) => {
    const { limiter, log, send, wake, until } = oneSent();
    const woken = wake();
    limiter.freePlaces(woken);
    send('b', { urgent });
    limiter.stopWaiting(woken);
    until(10_000);
    expect(log).toEqual(['0 wait b 1', '1001 send b']);
  });
});

describe('S23 after a 429', () => {
  /** The fraction of the rate that is left. */
  const wide = () => {
    const made = limited({ requests: 1_000, per: 1_000 });
    return { ...made, fraction: () => made.limiter.rate };
  };

  test('sends nothing until the pause is over', () => {
    const { limiter, log, send, timers, until } = limited({ requests: 10, per: 1_000 });
    limiter.slowDown(5_000);
    send('a');
    expect(limiter.freePlaces()).toBe(0);
    expect(timers()).toEqual([5_000]);
    until(10_000);
    expect(log).toEqual(['0 wait a 1', '5000 send a']);
  });

  test.each([
    [4_999, ['4999 wait a 1', '5000 send a']],
    [5_000, ['5000 send a']],
  ])('at %i of a pause of 5000', (ms, expected) => {
    const { limiter, log, at, send, until } = limited({ concurrent: 1 });
    limiter.slowDown(5_000);
    at(ms, () => send('a'));
    until(10_000);
    expect(log).toEqual(expected);
  });

  test.each([
    ['a later pause that ends later', 2_000, 3_000, '4000 send a'],
    ['an earlier pause that ends later', 6_000, 3_000, '6000 send a'],
  ])('goes by %s', (_, first, second, expected) => {
    const { limiter, log, at, send, until } = limited({ concurrent: 1 });
    limiter.slowDown(first);
    send('a');
    // Within the time in which refusals count as one: the pause counts nevertheless.
    at(999, () => {
      limiter.slowDown(1);
    });
    at(1_000, () => {
      limiter.slowDown(second);
    });
    until(10_000);
    expect(log).toEqual(['0 wait a 1', expected]);
  });

  test('adds the pause of a refusal that counts together with an earlier refusal', () => {
    const { limiter, log, at, send, until } = limited({ concurrent: 1 });
    limiter.slowDown(0);
    at(500, () => {
      limiter.slowDown(5_000);
      send('a');
    });
    until(10_000);
    expect(log).toEqual(['500 wait a 1', '5500 send a']);
  });

  test('waits for a place after the pause', () => {
    const { limiter, log, send, timers, until } = oneSent();
    limiter.slowDown(500);
    send('b');
    expect(timers()).toEqual([500]);
    until(500);
    expect(timers()).toEqual([1_001]);
    until(10_000);
    expect(log).toEqual(['0 wait b 1', '1001 send b']);
  });

  test('waits for the end of a request and for the end of the pause, where the concurrency is reached', () => {
    const { limiter, log, send, timers, until } = limited({ concurrent: 1 });
    send('a', { takes: 1_000 });
    limiter.slowDown(5_000);
    send('b', { takes: 7_000 });
    send('c');
    // Only the timer of the answer.
    expect(timers()).toEqual([1_000]);
    until(1_000);
    expect(timers()).toEqual([5_000]);
    until(20_000);
    expect(log).toEqual(['0 send a', '0 wait b 1', '0 wait c 2', '5000 send b', '12000 send c']);
  });

  test('calls a callback for a free place after the pause', () => {
    const { limiter, log, wake, until } = limited({ concurrent: 1 });
    limiter.slowDown(5_000);
    limiter.freePlaces(wake());
    until(10_000);
    expect(log).toEqual(['5000 wake']);
  });

  test('pauses also where there are no limits', () => {
    const { limiter, log, send, until } = limited({});
    limiter.slowDown(5_000);
    for (const name of ['a', 'b']) send(name);
    until(10_000);
    expect(log).toEqual(['0 wait a 1', '0 wait b 2', '5000 send a', '5000 send b']);
  });

  test('sends seven tenths of the requests', () => {
    const { limiter, log, send, until } = limited({ requests: 10, per: 1_000 });
    limiter.slowDown(0);
    for (let nth = 0; nth < 10; nth++) send('a', { takes: 0 });
    until(0);
    expect(log.filter((line) => line === '0 send a')).toHaveLength(7);
  });

  test('has the whole rate again after 18 s, and no more later', () => {
    const { limiter, fraction, until } = wide();
    expect(fraction()).toBe(1);
    limiter.slowDown(0);
    expect(fraction()).toBe(0.7);
    until(6_030);
    expect(fraction()).toBe(0.8);
    until(17_999);
    expect(fraction()).toBe(0.999);
    until(18_000);
    expect(fraction()).toBe(1);
    until(100_000);
    expect(fraction()).toBe(1);
  });

  test('counts refusals within a second as one refusal', () => {
    const { limiter, fraction, until } = wide();
    limiter.slowDown(0);
    limiter.slowDown(0);
    until(999);
    limiter.slowDown(0);
    // Seven tenths, and what has come back in a second.
    expect(fraction()).toBe(0.716);
    until(1_000);
    limiter.slowDown(0);
    expect(fraction()).toBe(0.501);
    until(1_999);
    limiter.slowDown(0);
    expect(fraction()).toBe(0.518);
    until(2_000);
    limiter.slowDown(0);
    expect(fraction()).toBe(0.362);
  });

  test('slows down to a tenth after many refusals, and then needs 54 s to the whole rate', () => {
    const { limiter, fraction, until } = wide();
    for (let nth = 0; nth <= 20; nth++) {
      until(nth * 1_000);
      limiter.slowDown(0);
    }
    expect(fraction()).toBe(0.1);
    until(20_000 + 30_000);
    expect(fraction()).toBe(0.6);
    until(20_000 + 53_900);
    expect(fraction()).toBe(0.998);
    until(20_000 + 54_000);
    expect(fraction()).toBe(1);
  });

  test('sends one request in a window at least', () => {
    const { limiter, log, send, until } = limited({ requests: 1, per: 1_000 });
    limiter.slowDown(0);
    for (const name of ['a', 'b']) send(name, { takes: 0 });
    until(10_000);
    expect(log).toEqual(['0 send a', '0 wait b 1', '1001 send b']);
  });
});
