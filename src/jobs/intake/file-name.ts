/** The name of a file as somebody else gave it → a name that can be kept, shown and sent in a header. */

/** UTF-16 units that are kept, from the end: the extension says what the file is. */
const keptUnits = 200;

/**
 * Controls, format characters (bidi overrides and isolates, zero-width ones), line separators, unpaired surrogates: what
 * makes a name look like another one, or ends a header.
 */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * The part after the last separator, of Unix or Windows, without invisible characters, at most 200 long. Null when
 * nothing is left, `.` and `..` included. It is never used as a path: files of uploads are named by their ids.
 */
export const cleanFileName = (text: string): string | null => {
  const base = text.replace(invisible, '').split(/[/\\]/).at(-1) ?? '';
  // A cut through a pair of surrogates leaves a half one.
  const name = base.trim().slice(-keptUnits).replace(invisible, '').trim();
  return /^\.*$/.test(name) ? null : name;
};
