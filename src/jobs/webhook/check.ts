/** Whether a webhook can be used, told to whoever starts a job with it. */
import { isIP } from 'node:net';
import { readReceiver } from './receiver.ts';
import { readSecret } from './signature.ts';

/**
 * One sentence that names the field, without the secret; null when there is nothing to say. Asks nobody: a name is
 * judged by its addresses each time that something is sent.
 * @param isAllowed the guard against special-purpose addresses, for a host that is an address
 */
export const checkWebhook = (
  url: string,
  secret: string,
  isAllowed: (ip: string) => boolean,
): string | null => {
  const receiver = readReceiver(url);
  if (typeof receiver === 'string') return `The webhook's url ${receiver}.`;
  if (isIP(receiver.host) !== 0 && !isAllowed(receiver.host))
    return "The webhook's url is at a special-purpose address (loopback, private, link-local …), which is connected to only where RCPT_ALLOW_HOSTS exempts it.";
  if (readSecret(secret) === null)
    return "The webhook's secret must be whsec_ followed by 24 to 64 random octets in Base64.";
  return null;
};
