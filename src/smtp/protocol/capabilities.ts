import type { Capabilities, Reply } from './types.ts';

/** Of a server that was greeted by HELO, or not at all. */
export const NO_CAPABILITIES: Capabilities = {
  offersPipelining: false,
  offersStartTls: false,
  offersSmtpUtf8: false,
  offersEnhancedStatusCodes: false,
  maxMessageBytes: null,
  maxRecipientsPerTransaction: null,
  maxTransactionsPerSession: null,
  lines: [],
};

/** A positive whole number of at most 15 digits, which is exact as a double. */
const readNumber = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : null;

/**
 * What the reply to EHLO offers: the first line is the server's name, each other one an extension. Keywords are
 * read in any case (RFC 5321 §4.1.1.1); what is not understood is kept in `lines` and otherwise left alone.
 */
export const parseCapabilities = (reply: Reply): Capabilities => {
  const lines = reply.lines.slice(1).filter((line) => line !== '');
  const words = new Map(
    lines.map((line) => {
      const [keyword = '', ...parameters] = line.split(/[ \t]+/);
      return [keyword.toUpperCase(), parameters];
    }),
  );
  const limits = new Map(
    (words.get('LIMITS') ?? []).map((limit) => {
      const [name = '', value] = limit.split('=', 2);
      return [name.toUpperCase(), readNumber(value)];
    }),
  );
  return {
    offersPipelining: words.has('PIPELINING'),
    offersStartTls: words.has('STARTTLS'),
    offersSmtpUtf8: words.has('SMTPUTF8'),
    offersEnhancedStatusCodes: words.has('ENHANCEDSTATUSCODES'),
    maxMessageBytes: readNumber(words.get('SIZE')?.[0]),
    maxRecipientsPerTransaction: limits.get('RCPTMAX') ?? null,
    maxTransactionsPerSession: limits.get('MAILMAX') ?? null,
    lines,
  };
};
