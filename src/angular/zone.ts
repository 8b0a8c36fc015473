import { NgZone } from '@angular/core';
import { Observable, isObservable } from 'rxjs';
import { Endpoint, Job } from '../index.js';

/** What `inZone` was made of. */
const originals = new WeakMap<object, object>();

/**
 * The same object for an application with zone.js: what it does, timers and requests, runs outside of Angular's zone, so that
 * it neither causes change detection nor keeps the application from being stable. What its Observables emit comes inside.
 * Without zone.js, returns the object itself.
 */
export function inZone<T extends object>(target: T, zone: NgZone): T {
  // Without zone.js, Angular provides a class of its own.
  if (!(zone instanceof NgZone)) return target;
  const proxy = new Proxy(target, {
    get: (_, name) => {
      const value: unknown = zone.runOutsideAngular((): unknown => Reflect.get(target, name, target));
      if (typeof value !== 'function') return delivered(value, zone);
      return (...args: unknown[]) =>
        delivered(
          // A method of the object, called on it.
          zone.runOutsideAngular((): unknown => Reflect.apply(value as () => unknown, target, args)),
          zone,
        );
    },
  });
  originals.set(proxy, target);
  return proxy;
}

/** What `inZone` was given; any other object itself. */
export function outOfZone<T extends object>(object: T): T {
  // `inZone` keeps the type.
  return (originals.get(object) as T | undefined) ?? object;
}

function delivered(value: unknown, zone: NgZone): unknown {
  if (isObservable(value)) return enter(value, zone);
  return value instanceof Endpoint || value instanceof Job ? inZone(value, zone) : value;
}

function enter<T>(source: Observable<T>, zone: NgZone): Observable<T> {
  return new Observable<T>((subscriber) => {
    const inside = (report: () => void) => {
      zone.run(report);
    };
    const subscription = zone.runOutsideAngular(() =>
      source.subscribe({
        next: (value) => {
          inside(() => {
            subscriber.next(value);
          });
        },
        error: (error: unknown) => {
          inside(() => {
            subscriber.error(error);
          });
        },
        complete: () => {
          inside(() => {
            subscriber.complete();
          });
        },
      }),
    );
    return () => {
      zone.runOutsideAngular(() => {
        subscription.unsubscribe();
      });
    };
  });
}
