/**
 * How processes share what one set of exchanges bears: the port that a store implements, and the rule by which each
 * works out its share.
 *
 * A node that works on a lane writes down how many sessions it may open there (its claim) and reads, in the same
 * moment, who else does. Its fair share is floor(limit / nodes), and one more for the first (limit % nodes) in order of
 * coming; none is possible. It takes more only out of what nobody else claims, and lowers its claim only after it has
 * left the sessions: so all together never open more than the limit, whoever heard what when. Its rate is the same part
 * of the limit as its sessions are.
 *
 * A node that is not heard of for a life is forgotten, and its part falls to the others.
 */

export type LaneClaim = {
  /** At most MAX_SUBJECT_LENGTH characters of ASCII. */
  readonly lane: string;
  /** Sessions that the node may open until it announces itself again; a whole number, 0 or more. */
  readonly sessions: number;
  /** What is written down instead where no other node lives. */
  readonly ifAlone: number;
};

export type LaneNode = { readonly node: string; readonly sessions: number };

/** Who announces itself, among whom, and for how long it is then taken to be alive. */
export type LaneMember = { readonly scope: string; readonly node: string; readonly lifeMs: number };

export type LaneShares = {
  /**
   * Writes the claims down and gives for each lane its live nodes with their claims, this one's as it was written
   * included, in the order of coming. For one lane that is one atomic step. Rejects when the store fails.
   */
  announce(
    member: LaneMember,
    claims: readonly LaneClaim[],
  ): Promise<ReadonlyMap<string, readonly LaneNode[]>>;
  /** The node works on these lanes no more. Rejects when the store fails. */
  leave(member: Omit<LaneMember, 'lifeMs'>, lanes: readonly string[]): Promise<void>;
};

export type Share = {
  /** Sessions that may be open from now on. */
  readonly usable: number;
  /** The part that is due to it, once the others have made room. */
  readonly fair: number;
  /** What to claim next. */
  readonly wish: number;
};

/**
 * @param nodes as `announce` gave them
 * @param held sessions that the node could open until now, by a claim that still lives
 */
export const planShare = (nodes: readonly LaneNode[], node: string, limit: number, held: number): Share => {
  const rank = nodes.findIndex((one) => one.node === node);
  const own = nodes[rank]?.sessions ?? 0;
  const claimedByOthers = nodes.reduce((sum, one, index) => (index === rank ? sum : sum + one.sessions), 0);
  const fair = Math.floor(limit / nodes.length) + (rank < limit % nodes.length ? 1 : 0);
  const room = Math.min(fair, Math.max(0, limit - claimedByOthers));
  const usable = Math.max(Math.min(held, fair), Math.min(own, room));
  return { usable, fair, wish: Math.max(usable, room) };
};

/** Null when it is no list of nodes with this one among them: then it says nothing. */
export const readLaneNodes = (value: unknown, node: string): readonly LaneNode[] | null => {
  if (!Array.isArray(value)) return null;
  const isNode = (one: unknown): one is LaneNode => {
    if (typeof one !== 'object' || one === null) return false;
    const { node: name, sessions } = one as Readonly<Record<string, unknown>>;
    return typeof name === 'string' && Number.isSafeInteger(sessions) && (sessions as number) >= 0;
  };
  return value.every(isNode) && value.some((one) => one.node === node) ? value : null;
};
