import type { HttpRequest } from '@angular/common/http';
import type { Credentials } from '../pageFetch.js';

/** Which cookies a request of `HttpClient` is sent with. */
export function credentialsOf({ withCredentials, credentials }: HttpRequest<unknown>): Credentials {
  // Angular 20.0 does not know the option `credentials` yet.
  const given: Partial<Pick<HttpRequest<unknown>, 'credentials'>> = { credentials };
  return withCredentials ? 'include' : (given.credentials ?? 'same-origin');
}
