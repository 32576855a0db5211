/**
 * Who may make this gateway work. Without API keys it serves its own machine, and every web page that is open
 * there is a stranger with a way in: by a name that resolves to loopback (DNS rebinding), by a form or an image (CSRF),
 * by a WebSocket, which knows no same-origin policy. Browsers tell on them in headers that a page cannot forge.
 */
export type CallerHeaders = {
  readonly host: string | null;
  readonly origin: string | null;
  /** `Sec-Fetch-Site`: sent by browsers to loopback and to HTTPS. */
  readonly fetchSite: string | null;
};

export type CallerFault = { readonly code: 'HOST_NOT_ALLOWED' | 'CROSS_ORIGIN'; readonly message: string };

/** Names that are this machine whatever DNS says (RFC 6761 §6.3). */
const loopbackName = /^(?:localhost|[a-z0-9-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** Does the host only reach this machine? */
export const isLoopbackHost = (host: string): boolean => host === '::1' || loopbackName.test(host);

const nameOf = (host: string): string => host.replace(/:\d{1,5}$/, '');

/** A Host header that names somebody else's machine, on a socket that only this machine reaches. */
export const classifyHost = (host: string | null): CallerFault | null =>
  host !== null && !loopbackName.test(nameOf(host))
    ? {
        code: 'HOST_NOT_ALLOWED',
        message: 'This gateway serves its own machine only: ask for it as localhost or 127.0.0.1.',
      }
    : null;

/** A browser that acts for a page of another origin. Clients that are no browsers send neither header. */
export const classifyOrigin = ({ host, origin, fetchSite }: CallerHeaders): CallerFault | null => {
  const isForeign =
    (origin !== null && !isSameOrigin(origin, host)) ||
    fetchSite === 'cross-site' ||
    fetchSite === 'same-site';
  return isForeign
    ? { code: 'CROSS_ORIGIN', message: 'Pages of other origins may not use this gateway.' }
    : null;
};

const isSameOrigin = (origin: string, host: string | null): boolean =>
  host !== null && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
