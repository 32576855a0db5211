/**
 * Who works on which exchanges, on PostgreSQL. All nodes of a lane are one row: it is locked while a claim is written
 * and the others' are read, so that is one step without a transaction. The table may be lost in a crash (UNLOGGED):
 * nodes announce themselves again within a beat. Times are the database's.
 *
 * `nodes` is a list in the order of coming: `{node, sessions, until}`, with `until` in seconds since the epoch.
 */
import type { LaneNode, LaneShares } from '../../smtp/index.ts';
import type { Query } from './facts.ts';

/** No index on `until`: it would make each beat write to it, and the table is small. */
export const laneShareSchema = `
  create unlogged table lane_share (
    scope text not null,
    lane text not null,
    nodes jsonb not null,
    until timestamptz not null,
    primary key (scope, lane)
  ) with (fillfactor = 50);
`;

/** How often a process erases lanes that nobody works on, and how many at once. */
const erasesEveryMs = 60_000;
const mostErased = 10_000;

/** A new row holds the claim for who is alone; in a row that is there, `claim` counts if another node lives. */
const announcement = `
  insert into lane_share as kept (scope, lane, nodes, until)
  select
    $1,
    lane,
    jsonb_build_array(jsonb_build_object(
      'node', $2::text,
      'sessions', if_alone,
      'claim', sessions,
      'until', (extract(epoch from now()) + $3::float8 / 1000)::float8)),
    now() + $3::float8 * interval '1 millisecond'
  from unnest($4::text[], $5::int[], $6::int[]) as told (lane, sessions, if_alone)
  order by lane
  on conflict (scope, lane) do update set
    until = greatest(kept.until, excluded.until),
    nodes = (
      with live as (
        select one, place
        from jsonb_array_elements(kept.nodes) with ordinality as listed (one, place)
        where (one ->> 'until')::float8 > extract(epoch from now())
      ), others as (
        select one, place from live where one ->> 'node' <> $2::text
      ), own as (
        select
          case
            when exists (select from others)
            then jsonb_set(excluded.nodes -> 0, '{sessions}', excluded.nodes #> '{0,claim}')
            else excluded.nodes -> 0
          end as one,
          coalesce((select place from live where one ->> 'node' = $2::text), 1000000) as place
      )
      select jsonb_agg(one order by place) from (table others union all table own) as all_nodes
    )
  returning lane, nodes
`;

const departure = `
  with left_lane as (
    select scope, lane from lane_share where scope = $1 and lane = any($3::text[]) order by lane for update
  )
  update lane_share as kept set nodes = (
    select coalesce(jsonb_agg(one order by place), '[]')
    from jsonb_array_elements(kept.nodes) with ordinality as listed (one, place)
    where one ->> 'node' <> $2::text
  )
  from left_lane where kept.scope = left_lane.scope and kept.lane = left_lane.lane
`;

/** As they are; whoever asked looks at what they are worth. */
const readNodes = (nodes: unknown): readonly LaneNode[] =>
  (Array.isArray(nodes) ? nodes : []).map((one) => ({ node: one?.node, sessions: one?.sessions }));

export const postgresShares = (query: Query): LaneShares => {
  let erasedAt = Number.NEGATIVE_INFINITY;

  const erase = async (): Promise<void> => {
    if (performance.now() - erasedAt < erasesEveryMs) return;
    erasedAt = performance.now();
    await query(
      `delete from lane_share where (scope, lane) in (
         select scope, lane from lane_share where until <= now() limit $1 for update skip locked)`,
      [mostErased],
    );
  };

  return {
    async announce({ scope, node, lifeMs }, claims) {
      const { rows } = await query(announcement, [
        scope,
        node,
        lifeMs,
        claims.map(({ lane }) => lane),
        claims.map(({ sessions }) => sessions),
        claims.map(({ ifAlone }) => ifAlone),
      ]);
      await erase();
      return new Map(rows.map(({ lane, nodes }) => [String(lane), readNodes(nodes)]));
    },
    async leave({ scope, node }, lanes) {
      await query(departure, [scope, node, lanes]);
    },
  };
};
