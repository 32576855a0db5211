/**
 * Text as PostgreSQL can hold it. It takes any character but NUL (https://www.postgresql.org/docs/current/datatype-character.html),
 * and a row of somebody's list may well have one: U+E000, a private-use character, stands before what was changed.
 */
const mark = '\u{e000}';
const marks = { '\0': `${mark}0`, [mark]: `${mark}1` } as const;

export const encodeText = (text: string): string =>
  text.includes('\0') || text.includes(mark)
    ? text.replace(/[\0\u{e000}]/gu, (found) => marks[found as keyof typeof marks])
    : text;

export const decodeText = (text: string): string =>
  text.includes(mark) ? text.replace(/\u{e000}([01])/gu, (_, kind) => (kind === '0' ? '\0' : mark)) : text;
