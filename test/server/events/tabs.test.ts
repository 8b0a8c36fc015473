import type { Subscription } from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventNotices, type VouchedNotice } from 'runpod-rx/events';
import { vouchedBy } from '../../../src/protocol/vouchedNotice.js';
import { pageRequest } from '../proxy/support.js';
import { made as server, settle, submission } from './support.js';

/** Channels between the tabs of one browser: what one posts, the others get, a copy of it. */
class FakeChannel {
  static readonly all = new Set<FakeChannel>();
  onmessage: ((message: { data: unknown }) => void) | null = null;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    FakeChannel.all.add(this);
  }

  postMessage(data: unknown) {
    if (!FakeChannel.all.has(this)) throw new DOMException('Channel is closed', 'InvalidStateError');
    const copy = structuredClone(data);
    for (const other of FakeChannel.all)
      if (other !== this && other.name === this.name)
        queueMicrotask(() => FakeChannel.all.has(other) && other.onmessage?.({ data: copy }));
  }

  close() {
    FakeChannel.all.delete(this);
  }
}

/** Locks that are given in turn. */
function fakeLocks() {
  let last: Promise<unknown> = Promise.resolve();
  const names: string[] = [];
  return {
    names,
    request: (name: string, { signal }: { signal: AbortSignal }, use: () => Promise<unknown>) => {
      names.push(name);
      const before = last;
      const own = new Promise((resolve, reject) => {
        let isGiven = false;
        // A lock that was given is kept.
        signal.addEventListener('abort', () => {
          if (!isGiven) reject(new DOMException('aborted', 'AbortError'));
        });
        void before
          .catch(() => undefined)
          .then(() => {
            if (signal.aborted) return;
            isGiven = true;
            void use().then(resolve);
          });
      });
      last = own.catch(() => undefined);
      return own;
    },
  };
}

let locks: ReturnType<typeof fakeLocks>;
beforeEach(() => {
  locks = fakeLocks();
  vi.stubGlobal('navigator', { locks });
  vi.stubGlobal('BroadcastChannel', FakeChannel);
});
afterEach(() => {
  FakeChannel.all.clear();
  vi.unstubAllGlobals();
});

/** A browser with tabs, and how often it has connected. */
function browser() {
  const made = server();
  const connections: (string | undefined)[] = [];
  let hangs = false;
  const tab = () => {
    const source = eventNotices('/api/runpod/events', {
      scheduler: made.scheduler,
      fetch: (_, { signal, headers }) => {
        const given = headers as Record<string, string>;
        connections.push(given['last-event-id']);
        if (hangs) return new Promise(() => undefined);
        return made.handler(pageRequest('GET events', { headers: given, signal: signal as AbortSignal }));
      },
    });
    const heard: string[] = [];
    const subscription: Subscription = source.subscribe((notice: VouchedNotice) => {
      const { id = '*', status = '' } = Object(vouchedBy(notice)?.job) as { id?: string; status?: string };
      heard.push(`${id} ${status} ${vouchedBy(notice)?.follows ?? ''}`);
    });
    const about = (id: string) => heard.filter((line) => line.startsWith(id));
    return {
      heard,
      about,
      source,
      close: () => {
        subscription.unsubscribe();
      },
    };
  };
  return {
    ...made,
    connections,
    tab,
    /** The connections from now on take for ever. */
    hang: () => {
      hangs = true;
    },
  };
}

test('all tabs have one connection, and each hears everything', async () => {
  const { tab, ask, set, wait, connections } = browser();
  const tabs = [tab(), tab(), tab()];
  await settle();
  expect(connections).toHaveLength(1);
  await ask('POST demo/run', submission);
  await wait(100);
  set('job-1', { status: 'COMPLETED' });
  await wait(10_000);
  for (const one of tabs) expect(one.about('job-1')).toEqual(['job-1 IN_QUEUE end', 'job-1 COMPLETED end']);
  expect(locks.names).toEqual(Array.from({ length: 3 }, () => 'runpod-rx /api/runpod/events'));
});

test('a tab that opens late hears what is followed, and of a job that is over that it is to be read', async () => {
  const { tab, ask, set, wait, connections } = browser();
  const first = tab();
  await settle();
  for (let nth = 0; nth < 2; nth++) await ask('POST demo/run', submission);
  set('job-1', { status: 'COMPLETED' });
  await wait(10_000);
  const late = tab();
  await settle();
  expect(late.heard).toEqual(['*  ', 'job-2 IN_QUEUE end', 'job-1  nothing']);
  expect(connections).toHaveLength(1);
  set('job-2', { status: 'COMPLETED' });
  await wait(10_000);
  expect([first.about('job-2').at(-1), late.about('job-2').at(-1)]).toEqual([
    'job-2 COMPLETED end',
    'job-2 COMPLETED end',
  ]);
});

test('when the tab that is connected goes, the next one connects after the last event', async () => {
  const { tab, ask, set, wait, connections } = browser();
  const [first, second, third] = [tab(), tab(), tab()];
  await settle();
  await ask('POST demo/run', submission);
  await settle();
  // It goes without a word: what happens now, nobody hears.
  first?.close();
  set('job-1', { status: 'COMPLETED' });
  await wait(10_000);
  await settle();
  expect(connections).toHaveLength(2);
  expect(connections[1]).toMatch(/\.1$/);
  for (const one of [second, third]) {
    // Nothing is relied on in between.
    expect(one?.heard).toContain('*  nothing');
    expect(one?.about('job-1')).toEqual(['job-1 IN_QUEUE end', 'job-1 COMPLETED end']);
  }
  second?.close();
  third?.close();
  await wait(130_000);
  expect(FakeChannel.all.size).toBe(0);
});

test('while the next tab connects, nothing is relied on', async () => {
  const { tab, ask, hang } = browser();
  const [first, second, third] = [tab(), tab(), tab()];
  await settle();
  await ask('POST demo/run', submission);
  await settle();
  hang();
  first.close();
  await settle();
  for (const one of [second, third]) expect(one.heard.slice(-2)).toEqual(['job-1 IN_QUEUE end', '*  nothing']);
});

test('a tab that waits for its turn may go, too', async () => {
  const { tab, connections, wait } = browser();
  const [first, second] = [tab(), tab()];
  await settle();
  second?.close();
  first?.close();
  tab();
  await settle();
  expect(connections).toHaveLength(2);
  await wait(10);
});

test('where locks are forbidden, each tab connects by itself', async () => {
  vi.stubGlobal('navigator', { locks: { request: () => Promise.reject(new DOMException('no', 'SecurityError')) } });
  const { tab, connections } = browser();
  for (let nth = 0; nth < 2; nth++) tab();
  await settle();
  expect(connections).toHaveLength(2);
});

test.each<[string, object]>([
  ['locks', { navigator: {} }],
  ['channels', { BroadcastChannel: undefined }],
])('where there are no %s, each tab connects by itself', async (_, globals) => {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  const { tab, connections } = browser();
  for (let nth = 0; nth < 2; nth++) tab();
  await settle();
  expect(connections).toHaveLength(2);
});

test('a tab that leaves with what it hears has told the others of it', async () => {
  const { tab, ask, set, wait } = browser();
  const first = tab();
  await settle();
  const second = tab();
  await ask('POST demo/run', submission);
  await wait(100);
  // The tab that connects has waited for this end alone.
  const leaving = first.source.subscribe((notice) => {
    if ((Object(vouchedBy(notice)?.job) as { status?: string }).status !== 'COMPLETED') return;
    leaving.unsubscribe();
    first.close();
  });
  set('job-1', { status: 'COMPLETED' });
  await wait(10_000);
  expect(second.about('job-1').at(-1)).toBe('job-1 COMPLETED end');
});
