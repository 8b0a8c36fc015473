import type { RowState } from '../durable/JobRow.js';
import type { QueueRow, WriteCondition, WriteResult } from '../queues/QueueRow.js';
import type { Boss, BossJob } from './Boss.js';

/** The row of a job that is in the queue no more. */
export interface DeletedJob {
  readonly id: string;
  readonly data: string;
}

/** Whether a delivery still owns its job, and whether the job was cancelled. */
export type Standing = 'owned' | 'lost' | 'cancel';

/**
 * What the worker writes beside the jobs of pg-boss, and the statements about both: each is one step, so that the queue and
 * the rows cannot disagree.
 *
 * A delivery owns a job from its `claim` on: as long as the job is active, and nobody else has claimed it.
 */
export class BossTable {
  readonly #boss: Boss;
  readonly #queue: string;
  readonly #jobs: string;
  readonly #rows: string;

  /** @param schema - that of pg-boss: letters, digits and underscores */
  constructor(boss: Boss, queue: string, schema: string) {
    this.#boss = boss;
    this.#queue = queue;
    this.#jobs = `${schema}.job`;
    this.#rows = `${schema}.runpod_rx_jobs`;
  }

  /** Makes the table, and forgets jobs that pg-boss has archived. */
  async open(): Promise<void> {
    await this.#sql(`
      create table if not exists ${this.#rows} (
        queue text not null, id uuid not null, owner uuid not null, beat_on timestamptz not null,
        state text, data text, primary key (queue, id))
    `);
    await this.#sql(
      `delete from ${this.#rows} r where queue = $1 and state = 'ended' and beat_on < now() - interval '1 day'
       and not exists (select from ${this.#jobs} j where j.name = r.queue and j.id = r.id)`,
      [this.#queue],
    );
  }

  /**
   * Makes a delivery the owner of a job that it has fetched, and keeps pg-boss from taking a long job for a dead one, and from
   * archiving one that waits for another worker as too old. Gives `false` where the job has gone to somebody else since.
   *
   * An id may come again: what is known of a job that was in the queue before is forgotten.
   */
  async claim({ id, startedOn }: BossJob, claimId: string): Promise<boolean> {
    const claimed = await this.#sql(
      `with mine as (
         update ${this.#jobs}
         set expire_in = interval '8 days', keep_until = greatest(keep_until, now() + interval '14 days')
         where name = $1 and id = $2 and state = 'active' and date_trunc('milliseconds', started_on) = $4
         returning id, created_on)
       insert into ${this.#rows} as r (queue, id, owner, beat_on) select $1, id, $3, now() from mine
       on conflict (queue, id) do update set owner = excluded.owner, beat_on = excluded.beat_on,
         state = case when r.beat_on < (select created_on from mine) then null else r.state end,
         data = case when r.beat_on < (select created_on from mine) then null else r.data end
       returning id`,
      [this.#queue, id, claimId, startedOn],
    );
    return claimed.length > 0;
  }

  /**
   * Takes jobs whose worker was lost, and that do not come back by the queue: those that were cancelled since, since what they
   * have on the service is still to be cancelled, and those that `returnDead` has left.
   */
  async claimDead(claimId: string, lease: number): Promise<BossJob[]> {
    const found = await this.#sql(
      `update ${this.#rows} r set owner = $2, beat_on = now() from ${this.#jobs} j
       where r.queue = $1 and r.beat_on < now() - $3 * interval '1 ms' and j.name = r.queue and j.id = r.id
       and (j.state = 'cancelled' and r.state = 'submitted' or j.state = 'active' and ${this.#isTaken()})
       returning j.id, j.name, j.data, j.retry_count as "retryCount", j.created_on as "createdOn", j.started_on as "startedOn"`,
      [this.#queue, claimId, lease],
    );
    // The columns of the statement.
    return found as BossJob[];
  }

  /** Takes jobs that were deleted while no worker had them: what they have on the service is still to be cancelled. */
  async claimDeleted(claimId: string, lease: number): Promise<DeletedJob[]> {
    const found = await this.#sql(
      `update ${this.#rows} r set owner = $2, beat_on = now()
       where queue = $1 and state = 'submitted' and beat_on < now() - $3 * interval '1 ms'
       and not exists (select from ${this.#jobs} j where j.name = r.queue and j.id = r.id) returning id, data`,
      [this.#queue, claimId, lease],
    );
    // A row that is submitted has data.
    return found as DeletedJob[];
  }

  /** Forgets a job, if its row is in this state: a job that comes later with the same id is another one. */
  async forget(id: string, claimId: string, state: RowState): Promise<void> {
    await this.#sql(`delete from ${this.#rows} where queue = $1 and id = $2 and owner = $3 and state = $4`, [
      this.#queue,
      id,
      claimId,
      state,
    ]);
  }

  /**
   * Gives jobs whose worker is dead back to the queue, as far as it takes them. That counts as no retry: a job that never
   * started counts none.
   */
  async returnDead(lease: number): Promise<void> {
    await this.#sql(
      `update ${this.#jobs} j set state = 'retry', started_on = null, start_after = now()
       where name = $1 and state = 'active' and not ${this.#isTaken()} and now() - $2 * interval '1 ms' > greatest(started_on,
         (select beat_on from ${this.#rows} r where r.queue = j.name and r.id = j.id))`,
      [this.#queue, lease],
    );
  }

  /** Gives a job back to the queue, likewise. One that it does not take is another worker's after the lease. */
  async giveBack(id: string, claimId: string): Promise<void> {
    await this.#sql(
      `update ${this.#jobs} j set state = 'retry', started_on = null, start_after = now()
       where name = $1 and id = $2 and state = 'active' and not ${this.#isTaken()}
       and exists (select from ${this.#rows} r where r.queue = j.name and r.id = j.id and r.owner = $3)`,
      [this.#queue, id, claimId],
    );
  }

  /** Whether the place of a job in the queue is taken: by the policy `stately`, one job of a key waits for a retry at a time. */
  #isTaken(): string {
    return `(j.policy is not distinct from 'stately' and exists (select from ${this.#jobs} other where other.name = j.name
      and other.state = 'retry' and coalesce(other.singleton_key, '') = coalesce(j.singleton_key, '')))`;
  }

  /** Says that the owner of a job is alive. A job that was deleted from the queue is cancelled: nobody can have its result. */
  async beat(id: string, claimId: string): Promise<Standing> {
    const [found] = (await this.#sql(
      `with mine as (
         update ${this.#rows} set beat_on = now() where queue = $1 and id = $2 and owner = $3 returning id)
       select j.state from mine left join ${this.#jobs} j on j.name = $1 and j.id = mine.id`,
      [this.#queue, id, claimId],
    )) as { readonly state: string | null }[];
    if (!found) return 'lost';
    if (found.state === null || found.state === 'cancelled') return 'cancel';
    return found.state === 'active' ? 'owned' : 'lost';
  }

  /** The row of a job. What leads to a submission is written only by the owner. */
  row(id: string, claimId: string): QueueRow {
    return {
      read: async () => {
        const [found] = await this.#sql(`select data from ${this.#rows} where queue = $1 and id = $2`, [
          this.#queue,
          id,
        ]);
        return (found as { readonly data: string | null } | undefined)?.data;
      },
      write: (text, condition) => this.#write(id, claimId, text, condition),
    };
  }

  async #write(id: string, claimId: string, text: string, { before, owned }: WriteCondition): Promise<WriteResult> {
    const job = `(select state from ${this.#jobs} j where j.name = queue and j.id = ${this.#rows}.id)`;
    // Read here: Postgres cannot take every text that is in an output.
    const { state } = JSON.parse(text) as { readonly state: string };
    const written = await this.#sql(
      `update ${this.#rows} set data = $4::text, state = $7
       where queue = $1 and id = $2 and data is not distinct from $5::text
       and (not $6::boolean or (owner = $3 and ${job} = 'active')) returning id`,
      [this.#queue, id, claimId, text, before ?? null, owned, state],
    );
    if (written.length > 0) return 'written';
    const [found] = (await this.#sql(
      `select data, owner = $3 as mine, ${job} as job from ${this.#rows} where queue = $1 and id = $2`,
      [this.#queue, id, claimId],
    )) as { readonly data: string | null; readonly mine: boolean; readonly job: string | null }[];
    if (!owned && found?.data === text) return 'written';
    if (!found?.mine) return 'lost';
    if (found.job === null || found.job === 'cancelled') return 'cancelled';
    if (found.job !== 'active') return 'lost';
    return found.data === text ? 'written' : 'changed';
  }

  /** Gives `false` where the job has gone back to the queue meanwhile: the worker that gets it next completes it. */
  async complete(id: string, output: unknown): Promise<boolean> {
    // pg-boss takes any value, and makes an object of it.
    const result = await this.#boss.complete(this.#queue, id, output as object);
    const { affected } = Object(result) as { readonly affected?: unknown };
    if (affected !== 0) return true;
    // A complete whose answer was lost finds the job completed.
    const open = await this.#sql(`select from ${this.#jobs} where name = $1 and id = $2 and state < 'completed'`, [
      this.#queue,
      id,
    ]);
    return open.length === 0;
  }

  /** @param isFinal - whether there is to be no other attempt */
  async fail(id: string, error: object, isFinal: boolean): Promise<void> {
    if (isFinal)
      await this.#sql(`update ${this.#jobs} set retry_limit = retry_count where name = $1 and id = $2`, [
        this.#queue,
        id,
      ]);
    await this.#boss.fail(this.#queue, id, error);
  }

  fetch(batchSize: number): Promise<BossJob[]> {
    return this.#boss.fetch(this.#queue, { batchSize, includeMetadata: true });
  }

  async #sql(text: string, values: unknown[] = []): Promise<unknown[]> {
    const result = await this.#boss.getDb().executeSql(text, values);
    if (!result) throw new Error('pg-boss is not started, or has ended');
    return result.rows;
  }
}
