import {
  BreakingChangeType,
  buildSchema,
  DangerousChangeType,
  findSchemaChanges,
  type SchemaChange,
} from 'graphql';

/** A file of `schema/changes`: why clients must change, and what of the schema they lose, one item a line. */
export type Changeset = {
  readonly file: string;
  /** As `printChange` prints them. */
  readonly changes: readonly string[];
  readonly hasReason: boolean;
};

/**
 * Dangerous to graphql-js, and what this API says that it may do at any time: enums, unions and inputs grow. A default
 * that changes is another matter, since it changes what the same request means.
 */
const promised: ReadonlySet<string> = new Set([
  DangerousChangeType.VALUE_ADDED_TO_ENUM,
  DangerousChangeType.TYPE_ADDED_TO_UNION,
  DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED,
  DangerousChangeType.OPTIONAL_ARG_ADDED,
  DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED,
]);

const canBreak = ({ type }: SchemaChange): boolean =>
  Object.hasOwn(BreakingChangeType, type) ||
  (Object.hasOwn(DangerousChangeType, type) && !promised.has(type));

const printChange = ({ type, description }: SchemaChange): string => `${type}: ${description}`;

/** An item names a change in the words of the check; whatever else stands there but headings is the reason. */
export const readChangeset = (file: string, text: string): Changeset => {
  const lines = text.split('\n').map((line) => line.trim());
  const items = lines.filter((line) => /^- [A-Z_]+: /.test(line));
  return {
    file,
    changes: items.map((line) => line.slice(2)),
    hasReason: lines.some((line) => line.length > 20 && !items.includes(line) && !line.startsWith('#')),
  };
};

export type Changes = {
  /** What could break a client, and no changeset names. */
  readonly unnamed: readonly string[];
  /** What a changeset names. */
  readonly named: readonly string[];
  /** The rest: nobody has to change for it. */
  readonly harmless: number;
  /** What is wrong with the changesets themselves. */
  readonly badChangesets: readonly string[];
};

/**
 * What differs between two schemas, as SDL.
 * @throws GraphQLError when one of them is none
 */
export const findChanges = (released: string, current: string, changesets: readonly Changeset[]): Changes => {
  const changes = findSchemaChanges(buildSchema(released), buildSchema(current));
  const breaking = changes.filter(canBreak).map(printChange);
  const said = new Set(changesets.flatMap((changeset) => changeset.changes));
  return {
    unnamed: breaking.filter((change) => !said.has(change)),
    named: breaking.filter((change) => said.has(change)),
    harmless: changes.length - breaking.length,
    badChangesets: changesets.flatMap((changeset) => [
      ...changeset.changes
        .filter((change) => !breaking.includes(change))
        .map((change) => `${changeset.file} names a change that is none: ${change}`),
      ...(changeset.hasReason ? [] : [`${changeset.file} does not say why`]),
      ...(changeset.changes.length > 0 ? [] : [`${changeset.file} names no change`]),
    ]),
  };
};
