import { Subject, defer, filter, map, merge, startWith, switchMap, take, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { isTerminalStatus } from '../protocol/snapshot.js';
import type { StreamReply } from '../protocol/streamReply.js';
import { placeAfter, type KeptReply, type LogPlace } from '../sources/keptStream.js';
import { SAFETY_NET } from './nextReadAt.js';

/** A job's stream that is being read, and what the source of notices pushes of it. */
export class PushedStream {
  readonly #scheduler: SchedulerLike;
  readonly #change$ = new Subject<void>();
  /** What was pushed last; `undefined` while nothing is pushed. */
  #last: KeptReply | undefined;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  set(last: KeptReply | undefined): void {
    this.#last = last;
    this.#change$.next();
  }

  /**
   * One read of the stream: what is pushed, or the server's answer where nothing is, or not what comes next. While all is
   * pushed, the server is asked as a safety net only.
   *
   * @param ask$ - asks the server. Unsubscribed from when the answer is pushed first
   */
  read(place: LogPlace, ask$: Observable<StreamReply>): Observable<StreamReply> {
    return defer(() => {
      const last$ = this.#change$.pipe(
        startWith(undefined),
        map(() => this.#last),
      );
      const pushed$ = last$.pipe(filter((last) => last !== undefined && isNextAt(place, last)));
      const unpushed$ = last$.pipe(filter((last) => last === undefined || !isSame(placeAfter(last), place)));
      // A request that was sent is not given up when the source begins to push: it may have the answer already.
      const asked$ = merge(unpushed$, timer(SAFETY_NET, this.#scheduler)).pipe(
        take(1),
        switchMap(() => ask$),
      );
      return merge(pushed$ as Observable<StreamReply>, asked$).pipe(take(1));
    });
  }
}

/** Whether an answer goes on at a place, and says something new. */
function isNextAt({ log, at }: LogPlace, reply: KeptReply): boolean {
  const { kept, chunks, status } = reply;
  const isEnd = !chunks.length && isTerminalStatus(status);
  const after = placeAfter(reply).at;
  return kept.log === log && kept.from <= at && (after > at || (isEnd && after === at));
}

function isSame(one: LogPlace, other: LogPlace): boolean {
  return one.log === other.log && one.at === other.at;
}
