import { Observable } from 'rxjs';

/** An operator that subscribes to one source at a time: the others wait for its end, in their order. */
export function exclusive(): <T>(source: Observable<T>) => Observable<T> {
  const waiting = new Set<() => void>();
  let isBusy = false;
  const startNext = () => {
    const [start] = waiting;
    isBusy = start !== undefined;
    if (!start) return;
    waiting.delete(start);
    start();
  };
  return (source) =>
    new Observable((subscriber) => {
      const start = () => {
        const subscription = source.subscribe(subscriber);
        subscription.add(startNext);
        subscriber.add(subscription);
      };
      waiting.add(start);
      subscriber.add(() => waiting.delete(start));
      if (!isBusy) startNext();
    });
}
