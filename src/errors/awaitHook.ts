import {
  catchError,
  defer,
  identity,
  ignoreElements,
  throwError,
  timeout,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import { HookError, type HookErrorDetails } from './HookError.js';
import type { ErrorContext } from './RunpodError.js';

/** How long a hook may take that a job waits for, in milliseconds: as long as a submission. */
const HOOK_TIME = 120_000;

/**
 * Calls a hook of the user's. Completes when what the hook gave completes, and errors with `HookError` where it throws,
 * errors, or gives nothing that could be waited for.
 *
 * @param context - where it happened, asked for at that moment
 * @param scheduler - where given, a hook that takes longer than two minutes has failed
 */
export function awaitHook(
  { hook, snapshot }: HookErrorDetails,
  call: () => ObservableInput<unknown>,
  context: () => ErrorContext,
  scheduler?: SchedulerLike,
): Observable<never> {
  const tooLate = () => throwError(() => new Error(`it did not complete within ${HOOK_TIME} ms`));
  return defer(call).pipe(
    ignoreElements(),
    scheduler ? timeout({ first: HOOK_TIME, scheduler, with: tooLate }) : identity,
    catchError((cause: unknown) => {
      const { message = String(cause) } = Object(cause) as { readonly message?: unknown };
      return throwError(
        () => new HookError(`the hook ${hook} failed: ${String(message)}`, { ...context(), cause }, { hook, snapshot }),
      );
    }),
  );
}
