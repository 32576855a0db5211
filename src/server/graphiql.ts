import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { OperationTab } from './operations.ts';

/** GraphiQL whole: 9 MB of script in one page, that asks nothing of the internet. */
export type GraphiqlPage = {
  /** Answers from memory; the first asker waits for the page to be made and compressed. */
  respond(request: Request, Response: typeof globalThis.Response): Promise<Response>;
};

type Encoding = 'br' | 'gzip' | 'identity';

/**
 * The page brings everything with it and may fetch nothing but its own origin. Its scripts stand in the page and
 * its workers in blobs, hence `unsafe-inline` and `blob:`; nothing of a stranger is ever put into it.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Brotli 5: 9 MB in a fraction of a second to a quarter; 11 would take half a minute for a tenth less. */
const brotliQuality = 5;

/**
 * The page's own body keeps the browser's margins, and two scroll bars with them. A tab with the focus takes over a
 * stale shift of its first animation and jumps from under the mouse, so that no click ever reached it.
 */
const style = `<style>body{margin:0;overflow:hidden}.graphiql-container{height:100vh}
.graphiql-tab{transform:none!important}</style>`;

const simulatedBanner = `<div role="note" style="position:fixed;z-index:9;bottom:0;left:50%;transform:translateX(-50%);
padding:4px 14px;border-radius:6px 6px 0 0;background:#b45309;color:#fff;font:600 13px system-ui,sans-serif;white-space:nowrap"
>Sandbox: the mail internet here is simulated. No verdict says anything about a real mailbox.</div>`;

/**
 * GraphiQL fills in the variables of every default tab but the one that is open at first, which it takes from
 * where it keeps the last ones. So they are put there, unless somebody has been here before.
 */
const seedVariables = (variables: string): string =>
  `<script>if(!localStorage.getItem('graphiql:tabState'))localStorage.setItem('graphiql:variables',${printForScript(variables)})</script>`;

/** A literal that cannot end the script that it stands in. */
const printForScript = (text: string): string => JSON.stringify(text).replaceAll('<', '\\u003c');

const compress = async (html: Buffer, encoding: Encoding): Promise<Buffer> => {
  switch (encoding) {
    case 'br':
      return promisify(brotliCompress)(html, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
          [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          [constants.BROTLI_PARAM_SIZE_HINT]: html.length,
        },
      });
    case 'gzip':
      return promisify(gzip)(html);
    case 'identity':
      return html;
  }
};

/** The best coding that the client takes (RFC 9110 §12.5.3); a weight of 0 is a refusal. */
export const chooseEncoding = (accepted: string | null): Encoding => {
  const takes = (coding: string): boolean =>
    (accepted ?? '').split(',').some((item) => {
      const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      return name === coding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    });
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : 'identity';
};

export const createGraphiqlPage = (options: {
  readonly endpoint: string;
  readonly tabs: readonly OperationTab[];
  readonly isSandbox: boolean;
}): GraphiqlPage => {
  const { endpoint, tabs, isSandbox } = options;
  let html: Promise<Buffer> | undefined;
  const bodies = new Map<Encoding, Promise<{ body: Buffer; etag: string }>>();

  const render = async (): Promise<Buffer> => {
    // 9 MB of text that most processes never serve: read when somebody first opens the page.
    const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
    const page = renderGraphiQL({
      title: isSandbox ? 'rcpt sandbox (simulated)' : 'rcpt',
      endpoint,
      defaultTabs: tabs.map(({ query, variables }) => ({ query, variables })),
      shouldPersistHeaders: false,
    });
    const root = '<div id="root">';
    const before = `${isSandbox ? simulatedBanner : ''}${seedVariables(tabs[0]?.variables ?? '')}`;
    return Buffer.from(
      page.replace('</head>', () => `${style}</head>`).replace(root, () => `${before}${root}`),
    );
  };

  const make = async (encoding: Encoding) => {
    html ??= render();
    const body = await compress(await html, encoding);
    return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` };
  };

  const bodyOf = (encoding: Encoding) => {
    let made = bodies.get(encoding);
    if (made === undefined) {
      made = make(encoding);
      bodies.set(encoding, made);
      // A failure is told to those who asked, and not remembered.
      made.catch(() => bodies.delete(encoding));
    }
    return made;
  };

  return {
    respond: async (request, Response) => {
      const encoding = chooseEncoding(request.headers.get('accept-encoding'));
      const { body, etag } = await bodyOf(encoding);
      const headers: Record<string, string> = {
        etag,
        // The page changes with the version: it is kept, and asked about each time.
        'cache-control': 'no-cache',
        vary: 'accept, accept-encoding',
        'content-security-policy': contentSecurityPolicy,
      };
      const known = request.headers
        .get('if-none-match')
        ?.split(',')
        .map((tag) => tag.trim().replace(/^W\//, ''));
      if (known?.includes(etag) || known?.includes('*')) return new Response(null, { status: 304, headers });
      headers['content-type'] = 'text/html; charset=utf-8';
      if (encoding !== 'identity') headers['content-encoding'] = encoding;
      return new Response(new Uint8Array(body), { status: 200, headers });
    },
  };
};
