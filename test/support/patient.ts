import type sdk from 'runpod-sdk';

type OfficialEndpoint = NonNullable<ReturnType<ReturnType<typeof sdk>['endpoint']>>;

/** How long the official client waits, in milliseconds. */
const PATIENCE = 600_000;

/**
 * An endpoint of the official client, which gives up most calls after three seconds unless it is told otherwise. It is told
 * otherwise: on a machine that stalls, calls that are well take longer. `impatient` is the endpoint as it was.
 */
export function patient(impatient: OfficialEndpoint) {
  return {
    impatient,
    run: (request: Parameters<OfficialEndpoint['run']>[0]) => impatient.run(request, PATIENCE),
    status: (id: string) => impatient.status(id, PATIENCE),
    cancel: (id: string) => impatient.cancel(id, PATIENCE),
    health: () => impatient.health(PATIENCE),
    purgeQueue: () => impatient.purgeQueue(PATIENCE),
    // These wait as long as the service holds them.
    runSync: impatient.runSync.bind(impatient),
    statusSync: impatient.statusSync.bind(impatient),
    stream: impatient.stream.bind(impatient),
  };
}
