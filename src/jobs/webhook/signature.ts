/** Standard Webhooks 1.0.0, symmetric: HMAC-SHA256 with a secret that both sides know. */
import { createHmac } from 'node:crypto';

/** The specification's bounds of a secret, in octets. */
const leastSecretOctets = 24;
const mostSecretOctets = 64;

/** The octets behind `whsec_` in Base64 (RFC 4648 §4), with or without padding; null when it is no such secret. */
export const readSecret = (secret: string): Buffer | null => {
  const text = /^whsec_([A-Za-z0-9+/]{32,86})={0,2}$/.exec(secret)?.[1];
  if (text === undefined) return null;
  const octets = Buffer.from(text, 'base64');
  // Base64 that no encoder writes (stray bits, a length of 4n + 1) may be read otherwise by the receiver.
  const isCanonical = octets.toString('base64').replace(/=+$/, '') === text;
  return isCanonical && octets.length >= leastSecretOctets && octets.length <= mostSecretOctets
    ? octets
    : null;
};

/** The headers that an attempt is known by. `id` has no full stop in it, which is what separates the signed parts. */
export const signAttempt = (secret: string, id: string, at: Date, body: Uint8Array) => {
  const octets = readSecret(secret);
  if (octets === null) throw new Error('a webhook without a secret that can sign');
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signature = createHmac('sha256', octets).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
};
