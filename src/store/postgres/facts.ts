/**
 * What processes tell each other of domains and exchanges, on PostgreSQL. The table may be lost in a crash (UNLOGGED):
 * whatever was in it can be found out again. Times are the database's.
 */
import type { SharedFacts } from '../../smtp/index.ts';

export type Query = (
  text: string,
  values?: unknown[],
) => Promise<{ readonly rows: Record<string, unknown>[]; readonly rowCount: number | null }>;

/** `value` is text, since it is read whole and JSON of a peer may hold what `jsonb` refuses. */
export const factSchema = `
  create unlogged table fact (
    subject text not null,
    kind text not null,
    value text not null,
    until timestamptz not null,
    primary key (subject, kind)
  );
  create index fact_until on fact (until);
`;

/** How often a process erases what lives no more, and how much of it at once. */
const erasesEveryMs = 60_000;
const mostErased = 10_000;

/** Undefined when it is no JSON: whoever reads it does not believe that either. */
const parse = (text: unknown): unknown => {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
};

export const postgresFacts = (query: Query): SharedFacts => {
  let erasedAt = Number.NEGATIVE_INFINITY;

  const erase = async (): Promise<void> => {
    if (performance.now() - erasedAt < erasesEveryMs) return;
    erasedAt = performance.now();
    await query(
      `delete from fact where (subject, kind) in (
         select subject, kind from fact where until <= now() order by until limit $1 for update skip locked)`,
      [mostErased],
    );
  };

  return {
    async recall(subjects) {
      const { rows } = await query(
        `select subject, kind, value, (extract(epoch from until - now()) * 1000)::float8 as left_ms
         from fact where subject = any($1::text[]) and until > now()`,
        [subjects],
      );
      return rows.map(({ subject, kind, value, left_ms }) => ({
        subject: String(subject),
        kind: String(kind),
        value: parse(value),
        leftMs: Number(left_ms),
      }));
    },
    async remember(facts) {
      // In one order, so that two processes never wait for each other's rows.
      await query(
        `insert into fact (subject, kind, value, until)
         select subject, kind, value, now() + life_ms * interval '1 millisecond'
         from unnest($1::text[], $2::text[], $3::text[], $4::float8[]) as told (subject, kind, value, life_ms)
         order by subject, kind
         on conflict (subject, kind) do update set value = excluded.value, until = excluded.until`,
        [
          facts.map(({ subject }) => subject),
          facts.map(({ kind }) => kind),
          facts.map(({ value }) => JSON.stringify(value)),
          facts.map(({ lifeMs }) => lifeMs),
        ],
      );
      await erase();
    },
  };
};
