import type sdk from 'runpod-sdk';

type OfficialEndpoint = NonNullable<ReturnType<ReturnType<typeof sdk>['endpoint']>>;

/** The calls of the official client, and the endpoint that it made. */
interface PatientEndpoint extends Pick<OfficialEndpoint, Call> {
  readonly impatient: OfficialEndpoint;
}

type Call = 'run' | 'status' | 'cancel' | 'health' | 'purgeQueue' | 'runSync' | 'statusSync' | 'stream';

/** How long the official client waits, in milliseconds. */
const PATIENCE = 600_000;

/**
 * An endpoint of the official client, which gives up most calls after three seconds unless it is told otherwise. It is told
 * otherwise: on a machine that stalls, calls that are well take longer. `impatient` is the endpoint as it was.
 */
export function patient(impatient: OfficialEndpoint): PatientEndpoint {
  return {
    impatient,
    run: (request) => impatient.run(request, PATIENCE),
    status: (id) => impatient.status(id, PATIENCE),
    cancel: (id) => impatient.cancel(id, PATIENCE),
    health: () => impatient.health(PATIENCE),
    purgeQueue: () => impatient.purgeQueue(PATIENCE),
    // These wait as long as the service holds them.
    runSync: impatient.runSync.bind(impatient),
    statusSync: impatient.statusSync.bind(impatient),
    stream: impatient.stream.bind(impatient),
  };
}
