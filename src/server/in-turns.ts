import { setImmediate as nextTurn } from 'node:timers/promises';

/** How many a turn: a turn of a thousand streams that end takes 50 ms. */
const aTurn = 250;

/** Does something to each of many, some in each turn of the event loop, so that nothing piles up and others have theirs. */
export const inTurns = async <Item>(items: readonly Item[], act: (item: Item) => void): Promise<void> => {
  for (let from = 0; from < items.length; from += aTurn) {
    if (from > 0) await nextTurn();
    for (const item of items.slice(from, from + aTurn)) act(item);
  }
};
