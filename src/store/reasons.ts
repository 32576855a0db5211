import type { ResultFilter } from '../jobs/index.ts';
import { type Reason, reasonTable } from '../verdict/index.ts';

/** The reasons that a filter asks for, since a reason has one status; null: all of them. */
export const reasonsOf = ({ statuses, reasons }: ResultFilter): readonly Reason[] | null => {
  if (statuses === null && reasons === null) return null;
  const asked = reasons === null ? (Object.keys(reasonTable) as Reason[]) : [...new Set(reasons)];
  return statuses === null ? asked : asked.filter((reason) => statuses.includes(reasonTable[reason].status));
};
