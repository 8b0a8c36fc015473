import { isRunpodError, type JobTimeout } from 'runpod-rx';
import type { JobRecord } from 'runpod-rx/testing';
import { roles } from './History.js';
import type { Life, View } from './Life.js';
import type { Played } from './play.js';
import { isDenied, ofSettlement } from './settlement.js';
import { isOver, saysOver, type Exchange } from './Wire.js';

const KILL_MARGIN = 15_000;
const LAG = 10_000;
const CONTROL = /\p{Cc}/u;

/** The rules that a history violates; empty where it keeps them all. */
export function violations(played: Played): string[] {
  return [
    ...played.history.jobs.flatMap((_, nth) => ofJob(played, nth)),
    ...ofSettlement(played),
    ...ofEnd(played),
    ...ofReads(played),
  ];
}

function ofJob(played: Played, nth: number): string[] {
  const { wire, jobs, lives: all } = played;
  const found: string[] = [];
  const say = (what: string) => found.push(`job ${nth}: ${what}`);
  const accepted = jobs.filter(({ input }) => (input as { nth: number }).nth === nth);
  if (accepted.length > 1) say(`${accepted.length} submissions were accepted`);
  const lives = all.filter((life) => life.nth === nth);
  const [job] = accepted;
  const id = job?.id;
  const exchanges = wire.exchanges.filter(
    (exchange) => (id !== undefined && exchange.jobId === id) || exchange.nth === nth,
  );
  const known = lives[0]?.id !== undefined;

  for (const sent of exchanges.filter(({ operation }) => operation === 'run')) {
    const [life] = lives;
    const grace = life?.options.grace ?? 0;
    // A submission is never sent after a release before it was sent, and is sent after detach().
    if (
      life?.detachedAt === undefined &&
      !life?.views.some(
        ({ name, began, until }) =>
          roles[name] !== 'watcher' &&
          began < sent.sent &&
          sent.at <= life.machine.firesAt((until ?? Infinity) + grace),
      )
    )
      say(`submitted at ${sent.at}, when nobody looked`);
  }
  if (!job) return found;

  // A job that was released under 'cancel' is cancelled or finished. An unknown status may hide whether a job is queued or
  // runs. A job that the service answers with 404, for longer than the lag, is gone as far as a client can know.
  const denied = exchanges.some(
    ({ operation, http, page, at }) => operation === 'status' && http === 404 && !page && at >= job.submittedAt + LAG,
  );
  const waited = job.status === 'IN_QUEUE' && !job.runs.length && !played.history.server.faults?.unknown && !denied;
  // A job that was released before it was accepted, and submitted anew for a later subscriber: the later release counts.
  const submission = exchanges.find(({ operation, http = 0 }) => operation === 'run' && http < 300 && http >= 200);
  for (const { reasons, views } of lives)
    for (const { why, at, policy, sure, step } of reasons) {
      if (views.some(({ name, began }) => roles[name] !== 'watcher' && step < began && began < (submission?.sent ?? 0)))
        continue;
      const must = policy === 'cancel' || (policy === 'cancel-if-queued' && waited);
      if (sure && known && must && !isOver(job.status) && !lives.some((life) => isDenied(played, life.client, job.id)))
        say(`left at ${at} by ${why} under '${policy}', and ${job.status} at the end`);
    }

  // The same after a deadline.
  for (const { client, views } of lives)
    for (const { error, until } of views)
      if (isRunpodError(error) && 'by' in error && error.by === 'client' && known && !isOver(job.status))
        if (!isDenied(played, client, job.id)) say(`past its deadline at ${until}, and ${job.status} at the end`);

  for (const cancel of exchanges.filter(({ operation }) => operation === 'cancel')) {
    // Where the job was cancelled already, another cancel does no harm: a cancel that waits to be repeated may still be
    // sent. Where the stream, or a bare answer to another cancel, says that the job is over, a cancel in progress stops
    // only at the answer of /status.
    const begun = (word: Exchange) =>
      exchanges.some(
        (one) => one.operation === 'cancel' && one.client === cancel.client && one.sent < (word.given ?? Infinity),
      );
    // An exception: a late progress update after the end lets the client cancel.
    const reverted = (word: Exchange) =>
      exchanges.some(
        (one) =>
          one.operation === 'status' &&
          one.client === cancel.client &&
          one.body?.status !== undefined &&
          !saysOver(one) &&
          (one.given ?? Infinity) > (word.given ?? Infinity) &&
          (one.given ?? Infinity) < cancel.sent,
      );
    const before = exchanges.find(
      (one) =>
        one.client === cancel.client &&
        saysOver(one) &&
        one.body?.status !== 'CANCELLED' &&
        (one.operation === 'status' || !begun(one)) &&
        !reverted(one) &&
        (one.given ?? Infinity) < cancel.sent,
    );
    if (before)
      say(`cancelled at ${cancel.at}, though /${before.operation} said ${before.body?.status} at ${before.endedAt}`);
    if (!lives.some((life) => life.client === cancel.client && mayCancel(life, cancel, lives)))
      say(`cancelled at ${cancel.at} without a reason`);
  }

  // Nothing is read without subscribers, except to settle a job that was released.
  for (const read of exchanges) {
    if (read.operation !== 'status' && read.operation !== 'stream') continue;
    const looked = lives.some((life) =>
      life.views.some(
        ({ name, began, until = Infinity }) =>
          life.client === read.client &&
          (read.operation === 'status' ? roles[name] !== 'starter' : roles[name] === 'owner') &&
          began < read.sent &&
          // A release takes effect from the next turn on.
          read.at <= until,
      ),
    );
    if (looked) continue;
    if (lives.some((life) => life.client === read.client && mayExpire(life, read.at, lives))) continue;
    // Settling a released job reads it until /status itself says that it is over: 'cancel-if-queued' reads it first, a
    // /cancel may be refused because the job is over, and neither the stream nor the bare answer to a late /cancel says how
    // the job ended. After a bare answer of /status the job is read once more.
    const ends = exchanges.flatMap((one) =>
      one.client === read.client &&
      one.operation === 'status' &&
      saysOver(one) &&
      (one.given ?? Infinity) < read.sent &&
      (one.body?.status === 'CANCELLED' || 'output' in one.body! || 'error' in one.body!)
        ? [one.endedAt ?? 0]
        : [],
    );
    const settling =
      read.operation === 'status' &&
      lives.some(
        (life) =>
          life.client === read.client &&
          mayCancel(life, read, lives) &&
          beginnings(life).some((at) => at <= read.at && !ends.some((end) => end > at)),
      );
    if (!settling) say(`/${read.operation} at ${read.at}, when nobody looked`);
  }

  for (const life of lives)
    for (const view of life.views) {
      found.push(
        ...truth(life, view, job, exchanges, played).map(
          (what) => `job ${nth}, ${view.name} of ${view.since}: ${what}`,
        ),
      );
    }
  return found;
}

/** Whether there was a reason to cancel a job by a step. */
function mayCancel(life: Life, { at, sent }: Exchange, lives: readonly Life[]): boolean {
  const { reasons, views, policy } = life;
  if (reasons.some((reason) => reason.policy !== 'detach' && reason.at <= at && reason.step < sent)) return true;
  // The last view that had no error in the same moment was unsubscribed from.
  const owners = views.filter(({ name }) => roles[name] === 'owner');
  const among = ({ how, until: left, ended: step = 0 }: View) =>
    how === 'left' &&
    owners.every(
      ({ began, ended = Infinity, until, how: other }) =>
        began > step || ended <= step || (other === 'errored' && until === left),
    );
  /** The policy when a view ended. A later `detach()` does not change what unsubscribing did before. */
  const policyAt = ({ until = Infinity }: View) =>
    until < (life.detachedAt ?? -Infinity) ? life.policyBeforeDetach : policy;
  if (owners.some((view) => policyAt(view) !== 'detach' && (view.ended ?? Infinity) < sent && among(view))) return true;
  return at >= deadlineOf(life, lives);
}

/** From when on a job may be settled. */
function beginnings(life: Life): number[] {
  const { reasons, views } = life;
  return [...reasons.map(({ at }) => at), ...views.flatMap(({ until }) => (until === undefined ? [] : [until]))];
}

/**
 * When a job may have started as far as its deadlines go, the earliest first: by its first subscription or its reference;
 * or as its client knows the job already, by its submission or by another reference.
 */
function startsOf({ nth, client, views, startedByRef }: Life, lives: readonly Life[]): number[] {
  if (startedByRef === undefined)
    return views
      .filter(({ name }) => roles[name] !== 'watcher')
      .map(({ since }) => since)
      .slice(0, 1);
  const others = lives.filter((one) => one.nth === nth && one.client === client);
  return others
    .flatMap((one) => one.startedByRef ?? (one.attached ? [] : (one.submittedAt ?? [])))
    .concat(startedByRef)
    .sort((a, b) => a - b);
}

/** The earliest moment at which a deadline of a job passes. */
function deadlineOf(life: Life, lives: readonly Life[]): number {
  const { options, views } = life;
  const first = views.find(({ name }) => roles[name] !== 'watcher');
  if (!options.timeout || !first) return Infinity;
  const { total = Infinity, queue = Infinity, execution = Infinity } = options.timeout as JobTimeout;
  return startsOf(life, lives)[0]! + Math.min(total, queue, execution + KILL_MARGIN);
}

/** Whether a job may be read because of a deadline, although it has no subscribers any more. */
function mayExpire(life: Life, at: number, lives: readonly Life[]): boolean {
  const { settle = 5_000 } = life.options;
  return (
    at >= deadlineOf(life, lives) &&
    life.views.some(({ until = Infinity }) => life.machine.firesAt(until + settle) >= at)
  );
}

const STATUS_OF: Readonly<Record<string, string>> = {
  job_failed: 'FAILED',
  job_cancelled: 'CANCELLED',
  job_timed_out: 'TIMED_OUT',
};

/** What a view emitted, compared with what happened. */
function truth(life: Life, view: View, job: JobRecord, exchanges: readonly Exchange[], played: Played): string[] {
  const found: string[] = [];
  const { name, values, how, error, until = Infinity, began, ended = Infinity } = view;
  const code = isRunpodError(error) ? error.code : undefined;
  if (isRunpodError(error) && (error.message.length > 2_000 || CONTROL.test(error.message)))
    found.push(`an error's message of ${error.message.length} characters that people cannot read`);
  if (how === 'errored' && !code) found.push(`an error that is none of ours: ${String(error)}`);
  if (code && STATUS_OF[code] && STATUS_OF[code] !== job.status) found.push(`${code}, though the job is ${job.status}`);
  const detached = life.detachedAt !== undefined && until >= life.detachedAt;
  // The answer that says that the job is over, where it came while this view was subscribed to.
  const over = exchanges.find(
    (one) =>
      one.client === life.client &&
      one.operation === 'status' &&
      saysOver(one) &&
      (one.given ?? Infinity) > began &&
      (one.given ?? Infinity) < ended &&
      // An error comes a turn after its cause. An answer in between comes too late for a view whose signal was aborted,
      // whose client was closed, whose job had been asked about for the last time after its deadline, or whose read failed
      // while another view began to read again.
      !(
        (['aborted', 'client_closed', 'job_deadline'].includes(code ?? '') || (isRunpodError(error) && error.ref)) &&
        one.endedAt === until
      ),
  );
  if (name === 'output$') {
    if (values.length > 1) found.push(`${values.length} outputs`);
    if (values.length && JSON.stringify(values[0]) !== JSON.stringify(job.output))
      found.push(`gave ${JSON.stringify(values[0])}, but the output is ${JSON.stringify(job.output)}`);
    if (how === 'completed' && !values.length && !detached) found.push('completed without its output');
    if (over?.body?.status === 'COMPLETED' && !values.length && how !== 'left' && !detached)
      found.push(`had no output, though the server gave it at ${over.endedAt}: ${how} ${code ?? ''}`);
  }
  if (name === 'state$' || name === 'events$') {
    const snapshots = (
      name === 'state$'
        ? values
        : values.flatMap((event) => {
            const { type, snapshot } = event as { type: string; snapshot?: unknown };
            return type === 'state' ? [snapshot] : [];
          })
    ) as { status: string; rawStatus: string }[];
    const end = snapshots.findIndex(({ status }) => isOver(status));
    if (end >= 0 && end < snapshots.length - 1) found.push('a state after the last one');
    const last = snapshots[end];
    if (last && last.status !== job.status) found.push(`ended ${last.status}, but the job is ${job.status}`);
    if (how === 'completed' && !last && !detached) found.push('completed without an end');
  }
  if (streams(life, view)) found.push(...ofChunks(life, view, job, detached, played));
  // A view that gets the end completes or errors.
  const open = how === undefined || (how === 'left' && until >= played.ends[life.client]!);
  if (
    open &&
    over &&
    (over.endedAt ?? 0) < played.ends[life.client]! - 150_000 &&
    name !== 'chunks$' &&
    name !== 'events$'
  )
    found.push(`still open, though the server said ${over.body?.status} at ${over.endedAt}`);
  const limit = (life.options.timeout as { total?: number } | undefined)?.total;
  if (limit !== undefined && (name === 'state$' || name === 'output$' || name === 'progress$')) {
    const { machine } = life;
    const since = startsOf(life, played.lives).at(-1) ?? 0;
    const fires = machine.firesAt(Math.max(view.since, since + limit));
    const latest = machine.firesAt(fires + (life.options.settle ?? 5_000));
    if (until > latest && latest < played.ends[life.client]!)
      found.push(`open until ${until}, though its deadline was over at ${latest}`);
  }
  return found;
}

function ofChunks(
  life: Life,
  { name, values, how, error, until = 0 }: View,
  job: JobRecord,
  detached: boolean,
  { wire, lives }: Played,
): string[] {
  const found: string[] = [];
  // The service hands each chunk out once: two clients that read one stream get different chunks.
  const readers = wire.exchanges.filter(({ operation, jobId }) => operation === 'stream' && jobId === job.id);
  if (new Set(readers.map(({ client }) => client)).size > 1) return found;
  const events = (name === 'chunks$' ? values.map((chunk) => ({ type: 'chunk', chunk })) : values) as {
    type: string;
    chunk?: unknown;
  }[];
  const { onGap = 'hold', replayChunks = 'all' } = life.options;
  const chunks = events.flatMap(({ type, chunk }) => (type === 'chunk' ? [chunk] : []));
  const places = chunks.map((chunk) => job.chunks.indexOf(chunk));
  const from = life.attached ? (life.attached.chunks ?? 0) : 0;
  // Attached by a bare id, in one client, a stream goes on where its last reader stopped.
  const whole = replayChunks === 'all' && (!life.attached || life.attached.chunks !== undefined);
  if (places.includes(-1)) found.push(`chunks that were never made: ${JSON.stringify(chunks)}`);
  else if (onGap !== 'mark') {
    if (
      places.some((place, nth) => nth > 0 && place !== places[nth - 1]! + 1) ||
      (whole && places.length && places[0] !== from)
    )
      found.push(`chunks ${JSON.stringify(chunks)} of ${JSON.stringify(job.chunks)}, from ${from} on`);
  } else if (places.some((place, nth) => nth > 0 && place <= places[nth - 1]!)) {
    found.push(`chunks out of order, or twice: ${JSON.stringify(chunks)}`);
  } else if (name === 'events$' && replayChunks === 'all') {
    let next = from;
    let gap = !whole;
    for (const { type, chunk } of events) {
      if (type === 'gap') gap = true;
      if (type !== 'chunk') continue;
      const place = job.chunks.indexOf(chunk);
      if (place !== next && !gap) found.push(`chunk ${place} after ${next - 1} without a gap event`);
      next = place + 1;
      gap = false;
    }
  }
  const code = isRunpodError(error) ? error.code : undefined;
  const complete = places.length ? places[places.length - 1] === job.chunks.length - 1 : from >= job.chunks.length;
  const ends =
    (how === 'completed' && !detached) || (code !== undefined && ['job_failed', 'job_timed_out'].includes(code));
  const marked = onGap === 'mark';
  if (ends && whole && !marked && !complete)
    found.push(`${how} ${code ?? ''} after ${JSON.stringify(chunks)}, but ${JSON.stringify(job.chunks)} were made`);
  if (code === 'stream_gap') {
    const lost = wire.exchanges.some(
      (one) =>
        one.operation === 'stream' &&
        one.jobId === job.id &&
        (one.endedAt ?? Infinity) <= until &&
        mayHaveTakenChunks(one),
    );
    // Chunks that another Job object of the same client received are not replayed to this one.
    const shared = lives.some(
      (one) =>
        one !== life && one.nth === life.nth && one.views.some((other) => other.values.length && streams(one, other)),
    );
    if (!lost && !shared) found.push('a gap error, though no answer was lost');
  }
  return found;
}

/** Whether the answer of a read of a stream was lost after chunks may have been put into it. */
function mayHaveTakenChunks({ aborted, failed, http = 0, body }: Exchange): boolean {
  if (aborted !== undefined || failed !== undefined) return aborted ?? failed === 'sent';
  return http >= 500 || http === 408 || (http < 300 && body?.status === undefined);
}

/** At most one read of a job is in flight. */
function ofReads({ wire }: Played): string[] {
  const found: string[] = [];
  const busy = new Map<string, number>();
  for (const { operation, jobId, client, sent, given = Infinity, at } of wire.exchanges) {
    if (operation !== 'status' && operation !== 'stream') continue;
    const place = `${client}/${operation}/${jobId}`;
    if ((busy.get(place) ?? 0) > sent) found.push(`two reads of ${place} at once, at ${at}`);
    busy.set(place, given);
  }
  return found;
}

/** No request and no timer is left. */
function ofEnd(played: Played): string[] {
  const { lives, wire, requests, timers } = played;
  const found: string[] = [];
  const going = requests.filter(({ endedAt }) => endedAt === undefined);
  if (going.length) found.push(`${going.length} requests are still on their way`);
  if (timers) found.push(`${timers} timers remain`);
  // An exception: after the stream said that the job is over, a late progress update or an unknown status leaves
  // cancel() without an answer.
  const reverted = ({ id }: Life) => {
    const word = wire.exchanges.find((one) => one.jobId === id && saysOver(one));
    return wire.exchanges.some(
      (one) => one.jobId === id && one.operation === 'status' && one.sent > (word?.given ?? Infinity) && !saysOver(one),
    );
  };
  for (const life of lives)
    for (const { of, at, ended } of life.reports)
      if (ended === undefined && !(of === 'cancel' && reverted(life)))
        found.push(`job ${life.nth}: ${of}() of ${at} never reported`);
  return found;
}

function streams(life: Life, { name }: View): boolean {
  return name === 'chunks$' || (name === 'events$' && life.options.stream);
}
