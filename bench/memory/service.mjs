import { map, timer } from 'rxjs';

/**
 * A transport that answers after a millisecond and keeps nothing, so that all of the heap's growth is the client's. A job is
 * over when `over` returns true for its age in milliseconds.
 */
export function service(scheduler, over) {
  let count = 0;
  const reply = (status, value) => ({ status, headers: {}, text: JSON.stringify(value) });
  return ({ operation, url }) =>
    timer(1, scheduler).pipe(
      map(() => {
        if (operation === 'run') {
          count += 1;
          return reply(200, { id: idOf(count, scheduler.now()), status: 'IN_QUEUE' });
        }
        if (operation === 'status') {
          const id = url.slice(url.lastIndexOf('/') + 1);
          const age = scheduler.now() - submittedAt(id);
          if (over(age)) return reply(200, { delayTime: 10, executionTime: age, id, output: 1, status: 'COMPLETED' });
          return reply(200, { delayTime: 10, id, status: 'IN_PROGRESS', workerId: 'nlzo8ccfn6q1t0' });
        }
        if (operation === 'health') {
          const workers = { idle: 0, initializing: 0, ready: 0, running: 100, throttled: 0, unhealthy: 0 };
          return reply(200, { jobs: { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 }, workers });
        }
        return reply(404, {});
      }),
    );
}

/** An id as long as the service's own; its last part is the time of submission. */
const idOf = (count, now) =>
  `${String(count).padStart(8, '0')}-5a3c-4d0e-9b57-${String(Math.floor(now)).padStart(12, '0')}-u1`;
const submittedAt = (id) => Number(id.slice(24, 36));
