/** A job's progress on one line of a terminal; where there is no terminal, one line at the end. */
import { styleText } from 'node:util';
import { printDuration } from '../duration.ts';
import type { Progress } from '../jobs/index.ts';

/** What the line tells of. */
type Shown = { readonly progress: Omit<Progress, 'nextRetryAt'> };

export type ProgressBar = { show(snapshot: Shown): void; close(): void };

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

const barWidth = 24;
/** Often enough for the eye; a terminal over a slow line must not hold up the work. */
const redrawMs = 100;

/** One line: bar, share, rows, rate, time left, counts. */
export const printProgress = ({ progress }: Shown): string => {
  const { total, settled, waiting, perSecond, secondsLeft, deliverable, undeliverable, risky, unknown } =
    progress;
  const share = total === 0 ? 1 : settled / total;
  const filled = Math.floor(share * barWidth);
  const number = (value: number) => value.toLocaleString('en');
  const parts = [
    `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${String(Math.floor(share * 100)).padStart(3)} %`,
    `${number(settled)}/${number(total)}`,
    `${number(Math.round(perSecond))}/s`,
    ...(secondsLeft === null || settled === total ? [] : [`${printDuration(Math.ceil(secondsLeft))} left`]),
    `✓ ${number(deliverable)}  ✗ ${number(undeliverable)}  ~ ${number(risky)}  ? ${number(unknown)}`,
    ...(waiting === 0 ? [] : [`${number(waiting)} waiting`]),
  ];
  return parts.join('  ');
};

/** At the end the rate is that of the whole run: nothing moves any more. */
const overall = (snapshot: Shown, seconds: number): Shown => ({
  ...snapshot,
  progress: { ...snapshot.progress, perSecond: snapshot.progress.settled / Math.max(seconds, 0.001) },
});

export const openProgressBar = (terminal: Terminal): ProgressBar => {
  let newest: Shown | null = null;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const startedAt = performance.now();
  const draw = (): void => {
    if (newest === null || !terminal.isTTY) return;
    drawnAt = performance.now();
    const line = printProgress(newest);
    terminal.write(
      `\r\u001b[2K${styleText('cyan', line.slice(0, (terminal.columns ?? 80) - 1), { validateStream: false })}`,
    );
  };
  return {
    show: (snapshot) => {
      newest = snapshot;
      if (performance.now() - drawnAt >= redrawMs) draw();
    },
    close: () => {
      if (newest !== null) newest = overall(newest, (performance.now() - startedAt) / 1_000);
      draw();
      if (newest !== null) terminal.write(terminal.isTTY ? '\n' : `${printProgress(newest)}\n`);
    },
  };
};
