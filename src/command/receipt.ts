/** A verification as people read it in a terminal. Pure: the caller says whether colours are wanted. */
import { styleText } from 'node:util';
import type { ConnectAttempt, ProbeEvidence } from '../smtp/index.ts';
import type { Status } from '../verdict/index.ts';
import type { Verification } from '../verify/index.ts';

type Style = Parameters<typeof styleText>[0];

const statusStyle = {
  DELIVERABLE: 'green',
  RISKY: 'yellow',
  UNDELIVERABLE: 'red',
  UNKNOWN: 'magenta',
} as const satisfies Record<Status, Style>;

/** 0–3 tell the status, so that a shell script can branch on it. */
export const exitCodes = { DELIVERABLE: 0, UNDELIVERABLE: 1, RISKY: 2, UNKNOWN: 3 } as const satisfies Record<
  Status,
  number
>;

const printAttempt = ({ host, ip, outcome }: ConnectAttempt): string => {
  const where = ip === null ? host : `${host} [${ip}]`;
  switch (outcome.kind) {
    case 'connected':
      return `${where}: connected`;
    case 'noAddress':
      return `${where}: has no address`;
    case 'unroutable':
      return `${where}: not asked, its address is ${outcome.range}`;
    case 'dnsFailure':
      return `${where}: look-up failed (${outcome.failure})`;
    case 'connectFailed':
      return `${where}: ${outcome.error}`;
    case 'connectTimeout':
      return `${where}: no connection in time`;
  }
};

const arrows = { CLIENT: '>', SERVER: '<', NOTE: '·' } as const;

/** Control characters of a peer must not drive the terminal. Transcripts are escaped already; addresses are not. */
export const printSafely = (text: string): string =>
  text.replace(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export const printReceipt = (
  address: string,
  verification: Verification,
  { isColoured, isSimulated }: { readonly isColoured: boolean; readonly isSimulated: boolean },
): string => {
  const paint = (style: Style, text: string) =>
    isColoured ? styleText(style, text, { validateStream: false }) : text;
  const { evidence } = verification;
  const row = (label: string, value: string) => `  ${paint('dim', label.padEnd(10))}${value}`;
  const lines = [
    `${paint('bold', printSafely(address.slice(0, 254)))}  ${paint(['bold', statusStyle[verification.status]], verification.status)}  ${verification.reason}  ${paint('dim', `score ${verification.score}`)}`,
    `  ${verification.summary}`,
  ];
  if (isSimulated) lines.push(`  ${paint('yellow', 'Simulated: these servers live in the sandbox.')}`);
  if (verification.retryAt) lines.push(row('retry at', verification.retryAt.toISOString()));
  if (evidence.kind === 'syntax') lines.push(row('position', String(evidence.fault.position)));
  if ('facts' in evidence && evidence.facts.suggestion) lines.push(row('meant?', evidence.facts.suggestion));
  if ('probe' in evidence && evidence.probe) lines.push(...printProbe(evidence.probe, row, paint));
  for (const { effect, message } of verification.signals)
    lines.push(row(effect === 'POSITIVE' ? '+' : effect === 'NEGATIVE' ? '-' : '·', message));
  return `${lines.join('\n')}\n`;
};

const printProbe = (
  probe: ProbeEvidence,
  row: (label: string, value: string) => string,
  paint: (style: Style, text: string) => string,
): string[] => {
  const lines = probe.attempts.map((attempt) => row('exchange', printAttempt(attempt)));
  if (probe.reply)
    lines.push(
      row(
        'reply',
        `${probe.reply.code} ${probe.reply.enhancedCode ?? ''} ${probe.reply.text}`.replace(/ +/g, ' '),
      ),
    );
  if (probe.catchAll) lines.push(row('catch-all', probe.catchAll.answer));
  const start = probe.transcript[0]?.at.getTime() ?? 0;
  for (const { at, direction, text } of probe.transcript) {
    const line = `${arrows[direction]} ${text}`;
    const elapsed = paint('dim', `${String(at.getTime() - start).padStart(6)} ms`);
    lines.push(
      `  ${elapsed} ${direction === 'SERVER' ? line : paint(direction === 'CLIENT' ? 'cyan' : 'dim', line)}`,
    );
  }
  return lines;
};
