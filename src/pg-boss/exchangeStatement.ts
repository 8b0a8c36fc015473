import { tableLock } from './tableLock.js';

/** Makes the table, in one transaction. */
export const TABLE = `
  ${tableLock('runpod_rx_budgets')}
  create table if not exists runpod_rx_budgets (name text primary key, state jsonb not null) with (fillfactor = 50);
`;

/** What a member may use, by what it has reported and what the others leave. */
const GRANT = (bound: 'requests' | 'concurrent') => `
  case when now < settled then (report->'held'->>'${bound}')::numeric
  else greatest(0, least(
    (report->'target'->>'${bound}')::numeric,
    known_limit.${bound} - coalesce((select sum((member->'held'->>'${bound}')::numeric) from others), 0)
  )) end
`;

/** The highest limit that a member knows of. */
const LIMIT = (bound: 'requests' | 'concurrent') => `
  greatest((report->'limit'->>'${bound}')::numeric, (select max((member->'limit'->>'${bound}')::numeric) from others))
`;

/** What a member holds: what it may use, or what it has reported. */
const HOLD = (bound: 'requests' | 'concurrent') => `greatest(granted.${bound}, (report->'held'->>'${bound}')::numeric)`;

/**
 * An exchange of a `LeaseStore`, as one statement: atomic, since the row is locked, and by the clock of Postgres.
 *
 * $1 is the name of the limit, $2 the report. Returns the new state of the limit, or an empty one where the limit is new.
 */
export const EXCHANGE = `
  insert into runpod_rx_budgets as budget (name, state) values ($1, '{}')
  on conflict (name) do update set state = (
    with
    given as materialized (select $2::jsonb as report),
    clock as materialized (
      select
        floor(extract(epoch from clock_timestamp()) * 1000)::numeric as now,
        extract(epoch from pg_postmaster_start_time())::text as run,
        floor(extract(epoch from pg_postmaster_start_time()) * 1000)::numeric as started,
        (report->>'lease')::numeric as lease,
        (report->>'keep')::numeric as keep,
        report->>'member' as name
      from given
    ),
    known as (
      select
        key as name,
        value as member,
        (value->'wanted'->>'requests')::numeric + (value->'wanted'->>'concurrent')::numeric > 0 as wants,
        (value->>'keptUntil')::numeric as kept_until
      from jsonb_each(coalesce(budget.state->'members', '{}'))
    ),
    silence as (
      select now > (budget.state->>'at')::numeric + lease
        and exists (select from known where wants and known.name <> clock.name) as silent
      from clock
    ),
    pause as (
      select
        case
          -- What Postgres knew before it was started may be old: a standby may have taken over.
          when silent or budget.state->>'run' <> run then now + lease
          -- Or lost, with all that the members hold.
          when budget.state->>'run' is null then least(started, now) + lease
          -- The clock may have been set back.
          else least(coalesce((budget.state->>'settled')::numeric, 0), now + lease)
        end as settled,
        silent
      from clock, silence
    ),
    living as (
      select name, jsonb_set(member, '{keptUntil}', to_jsonb(until)) as member
      from (
        select
          known.name,
          member,
          least(case when silent and wants then greatest(kept_until, now + lease) else kept_until end, now + keep + lease)
            as until,
          now
        from known, clock, pause
      ) as kept
      where until >= now
    ),
    others as (select living.name, member from living, clock where living.name <> clock.name),
    known_limit as (select ${LIMIT('requests')} as requests, ${LIMIT('concurrent')} as concurrent from given),
    granted as (
      select ${GRANT('requests')} as requests, ${GRANT('concurrent')} as concurrent
      from given, clock, pause, known_limit
    ),
    own as (
      select
        clock.name,
        case when turn.late then living.member else jsonb_build_object(
          'turn', report->'turn',
          'held', jsonb_build_object('requests', ${HOLD('requests')}, 'concurrent', ${HOLD('concurrent')}),
          'wanted', report->'wanted',
          'limit', report->'limit',
          'keptUntil', now + keep
        ) end as member
      from given, granted, clock
      left join living on living.name = (select name from clock)
      cross join lateral (
        select coalesce((living.member->>'turn')::numeric >= (report->>'turn')::numeric, false) as late
      ) as turn
    ),
    members as (
      select name, member from others
      union all
      select name, member from own
      where member->'held' <> '{"requests": 0, "concurrent": 0}' or member->'wanted' <> '{"requests": 0, "concurrent": 0}'
    )
    select jsonb_build_object(
      'at', now,
      'run', run,
      'settled', settled,
      'granted', (select to_jsonb(granted) from granted),
      'limit', (select to_jsonb(known_limit) from known_limit),
      'members', coalesce((select jsonb_object_agg(name, member) from members), '{}')
    )
    from clock, pause
  )
  returning state
`;
