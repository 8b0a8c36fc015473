// The harness writes this file for each build.
import { provideRunpod } from 'runpod-rx/angular';

export const runpodProviders = [provideRunpod(() => ({ baseUrl: buildTimeBaseUrl() ?? '/api/runpod' }))];

/** While the application is built, there is no page that a URL could be relative to. */
function buildTimeBaseUrl(): string | undefined {
  return (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env['E2E_BASE_URL'];
}
