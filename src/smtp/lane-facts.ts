/**
 * What a lane learns and other processes may be told: one row for each, with whom it holds for and which values are
 * believed. A value that no row knows, or that is none of its own, is ignored: it may be of an older or newer rcpt.
 */
import {
  GREYLIST_LIFE_MS,
  LEARNED_LIFE_MS,
  MAX_GREYLIST_DELAY_MS,
  MAX_RECIPIENTS_PER_TRANSACTION,
  MAX_REFUSALS_PER_SESSION,
} from './limits.ts';

type Row<Value> = {
  /** What the exchange knows by our address holds for processes that are seen at the same one. */
  readonly isOfSource: boolean;
  readonly lifeMs: number;
  /** Null: not to be believed. */
  readonly read: (value: unknown) => Value | null;
};

const wholeNumber =
  (least: number, most: number) =>
  (value: unknown): number | null =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : null;
const flag = (value: unknown): true | null => (value === true ? true : null);

const ofExchange = <Value>(read: Row<Value>['read']): Row<Value> => ({
  isOfSource: false,
  lifeMs: LEARNED_LIFE_MS,
  read,
});
const ofSource = <Value>(read: Row<Value>['read'], lifeMs = LEARNED_LIFE_MS): Row<Value> => ({
  isOfSource: true,
  lifeMs,
  read,
});

/** Nobody learns more of these than a session's life holds, or opens as many. */
const MANY = 100_000;
/** JSON has no Infinity. */
const UNLIMITED = 'unlimited';

export const laneFacts = {
  recipientsPerTransaction: ofExchange(wholeNumber(1, MAX_RECIPIENTS_PER_TRANSACTION)),
  refusalsPerSession: ofExchange(wholeNumber(1, MAX_REFUSALS_PER_SESSION)),
  recipientsPerSession: ofExchange(wholeNumber(1, MANY)),
  needsTls: ofExchange(flag),
  needsHelo: ofExchange(flag),
  pipelineDepth: ofExchange((value) =>
    value === UNLIMITED ? Number.POSITIVE_INFINITY : wholeNumber(0, MAX_RECIPIENTS_PER_TRANSACTION)(value),
  ),
  sessionsAtOnce: ofSource(wholeNumber(1, MANY)),
  greylistDelayMs: ofSource(wholeNumber(0, MAX_GREYLIST_DELAY_MS), GREYLIST_LIFE_MS),
} satisfies Readonly<Record<string, Row<number | true>>>;

export type LaneFactKind = keyof typeof laneFacts;
export type LaneFactValue<Kind extends LaneFactKind> = NonNullable<
  ReturnType<(typeof laneFacts)[Kind]['read']>
>;

export const isLaneFactKind = (kind: string): kind is LaneFactKind => Object.hasOwn(laneFacts, kind);

/** As plain JSON. */
export const printLaneValue = (value: number | true): unknown =>
  value === Number.POSITIVE_INFINITY ? UNLIMITED : value;
