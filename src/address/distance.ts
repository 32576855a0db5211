/** The three rows that are looked at, kept: a suggestion counts a hundred times, and a row each time was its main cost. */
let beforeLast = new Uint8Array(64);
let last = new Uint8Array(64);
let row = new Uint8Array(64);

/**
 * Edits between two texts: insert, delete, replace, or swap two neighbours (optimal string alignment), each one edit.
 * `fastest-levenshtein` counts a swap as two, and swaps (`gmial`) are what hands do most. Stops past `most`, which is
 * below 250.
 */
export const countEdits = (from: string, to: string, most: number): number => {
  if (Math.abs(from.length - to.length) > most) return most + 1;
  // A distance that does not fit an octet is past `most` already: the rows hold no more than that.
  const past = most + 1;
  if (to.length >= row.length) {
    beforeLast = new Uint8Array(2 * to.length);
    last = new Uint8Array(2 * to.length);
    row = new Uint8Array(2 * to.length);
  }
  for (let j = 0; j <= to.length; j++) last[j] = Math.min(j, past);
  for (let i = 1; i <= from.length; i++) {
    const unit = from.charCodeAt(i - 1);
    row[0] = Math.min(i, past);
    let least = row[0];
    for (let j = 1; j <= to.length; j++) {
      const isSame = unit === to.charCodeAt(j - 1);
      let edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (isSame ? 0 : 1), past);
      if (i > 1 && j > 1 && unit === to.charCodeAt(j - 2) && from.charCodeAt(i - 2) === to.charCodeAt(j - 1))
        edits = Math.min(edits, at(beforeLast, j - 2) + 1);
      row[j] = edits;
      if (edits < least) least = edits;
    }
    if (least > most) return past;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return at(last, to.length);
};

const at = (edits: Uint8Array, index: number): number => edits[index] ?? 0;
