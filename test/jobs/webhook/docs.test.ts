import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { signAttempt } from '../../../src/jobs/webhook/signature.ts';
import { secret } from './world.ts';

const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
const snippet = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
const { isFromRcpt } = await import(`data:text/javascript,${encodeURIComponent(snippet)}`);

describe("the page's own code", () => {
  const body = Buffer.from('{"name":"März 📬"}');
  const headers = signAttempt(secret, 'msg_1', new Date(), body);

  it('takes what rcpt signs, and what is signed with two secrets at once', () => {
    expect(isFromRcpt(secret, headers, body)).toBe(true);
    expect(isFromRcpt(secret, headers, body.toString())).toBe(true);
    const both = `v1,${Buffer.alloc(32).toString('base64')} ${headers['webhook-signature']}`;
    expect(isFromRcpt(secret, { ...headers, 'webhook-signature': both }, body)).toBe(true);
    const theirs = new Webhook(secret).sign('msg_1', new Date(), body.toString());
    expect(isFromRcpt(secret, { ...headers, 'webhook-signature': theirs }, body)).toBe(true);
  });

  it.each<[string, object]>([
    ['another id', { 'webhook-id': 'msg_2' }],
    ['another time', { 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) }],
    ['no time', { 'webhook-timestamp': undefined }],
    ['no signature', { 'webhook-signature': undefined }],
    ['half a signature', { 'webhook-signature': headers['webhook-signature'].slice(0, 20) }],
    ['an old one', signAttempt(secret, 'msg_1', new Date(Date.now() - 301_000), body)],
    ['one of the future', signAttempt(secret, 'msg_1', new Date(Date.now() + 301_000), body)],
  ])('refuses %s', (_what, change) => {
    expect(isFromRcpt(secret, { ...headers, ...change }, body)).toBe(false);
  });

  it('refuses another body and another secret', () => {
    expect(isFromRcpt(secret, headers, '{"name":"Marz"}')).toBe(false);
    const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    expect(isFromRcpt(other, headers, body)).toBe(false);
  });
});
