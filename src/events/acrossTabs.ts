import { Observable } from 'rxjs';
import { LOST, type PageState, type Pushed } from './Pushed.js';

/** A tab that has just begun to listen asks what is known. */
const ASK = 'ask';

/**
 * One connection for all tabs of an origin, where the platform can do that: the tab that holds a lock connects, and tells the
 * others. When it goes, the next one has the lock, and goes on after the last event. Elsewhere each page connects by itself.
 */
export function acrossTabs(url: string, pushed$: Observable<Pushed>, state: PageState): Observable<Pushed> {
  return new Observable((subscriber) => {
    const { navigator, BroadcastChannel: Channel } = globalThis as Partial<typeof globalThis>;
    const { locks } = (navigator ?? {}) as Partial<Navigator>;
    if (!locks || !Channel) return pushed$.subscribe(subscriber);
    const name = `runpod-rx ${url}`;
    const channel = new Channel(name);
    const leaving = new AbortController();
    const { signal } = leaving;
    let connects = false;
    const tell = (pushed: Pushed) => {
      // First, since the page may have waited for this alone, and close the channel.
      channel.postMessage(pushed);
      subscriber.next(pushed);
    };
    const connect = () =>
      new Promise<void>((release) => {
        subscriber.add(release);
        if (signal.aborted) return;
        connects = true;
        // Since the tab before went, nobody has listened.
        tell(LOST);
        subscriber.add(
          pushed$.subscribe({
            next: tell,
            error: (error: unknown) => {
              subscriber.error(error);
            },
            complete: () => {
              subscriber.complete();
            },
          }),
        );
      });
    channel.onmessage = ({ data }: MessageEvent<Pushed | typeof ASK>) => {
      if (data !== ASK) subscriber.next(data);
      else if (connects) for (const pushed of state.latest) channel.postMessage(pushed);
    };
    channel.postMessage(ASK);
    subscriber.add(() => {
      leaving.abort();
      channel.close();
    });
    // Where locks are forbidden, the tab connects by itself.
    locks.request(name, { signal }, connect).catch(connect);
    return undefined;
  });
}
