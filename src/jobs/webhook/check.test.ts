import { describe, expect, it } from 'vitest';
import { createGuard } from '../../smtp/index.ts';
import { checkWebhook } from './check.ts';

const secret = `whsec_${Buffer.alloc(32, 'rcpt').toString('base64')}`;
const isAllowedBy = (allowHosts: readonly string[]) => {
  const guard = createGuard(allowHosts);
  return (ip: string) => guard.classifyAddress(ip).isRoutable;
};
const check = (url: string, allowHosts: readonly string[] = []) =>
  checkWebhook(url, secret, isAllowedBy(allowHosts));

describe('a url', () => {
  it.each([
    'https://example.com',
    'http://example.com/a?b=c',
    'https://example.com:8443/',
    'http://example.com:3000/',
    'HTTPS://EXAMPLE.COM./',
    'https://bücher.example/',
    'https://my_hooks.example/',
    'https://hooks/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    `https://example.com/${'a'.repeat(2_048 - 20)}`,
  ])('%s is taken', (url) => {
    expect(check(url)).toBeNull();
  });

  it.each([
    ['', 'no absolute URL'],
    ['example.com', 'no absolute URL'],
    ['/hook', 'no absolute URL'],
    ['https://', 'no absolute URL'],
    ['https://exa mple.com/', 'no absolute URL'],
    [' https://example.com/', 'no absolute URL'],
    ['https://example.com/\n', 'no absolute URL'],
    ['ht\ttps://example.com/', 'no absolute URL'],
    ['https://example.com:99999/', 'no absolute URL'],
    ['https://1.2.3.4.5/', 'no absolute URL'],
    ['ftp://example.com/', 'must begin with https:// or http://'],
    ['file:///etc/passwd', 'must begin with https:// or http://'],
    ['javascript:alert(1)', 'must begin with https:// or http://'],
    ['https://user@example.com/', 'user or a password'],
    ['https://user:word@example.com/', 'user or a password'],
    ['https://example.com/#', 'fragment'],
    ['https://example.com/#a', 'fragment'],
    [`https://example.com/${'a'.repeat(2_049 - 20)}`, '2049 characters; at most 2048'],
    ['https://example.com:25/', 'port 25'],
    ['http://example.com:22/', 'port 22'],
    ['http://example.com:0/', 'port 0'],
    ['https://example.com:6667/', 'port 6667'],
    [`https://${'a'.repeat(64)}.example/`, 'no host name'],
    ['https://a..example/', 'no host name'],
    ['https://-%21.example/', 'no host name'],
    ['http://127.0.0.1/', 'special-purpose'],
    ['http://127.1/', 'special-purpose'],
    ['http://2130706433/', 'special-purpose'],
    ['http://0x7f000001/', 'special-purpose'],
    ['http://0177.0.0.1/', 'special-purpose'],
    ['http://0/', 'special-purpose'],
    ['http://[::1]/', 'special-purpose'],
    ['http://[::ffff:10.0.0.1]/', 'special-purpose'],
    ['http://[64:ff9b::a00:1]/', 'special-purpose'],
    ['http://169.254.169.254/latest/meta-data/', 'special-purpose'],
    ['http://10.0.0.1/', 'special-purpose'],
    ['http://①②⑦.0.0.1/', 'special-purpose'],
    ['http://localhost/', 'special-purpose'],
    ['http://LOCALHOST.:8080/', 'special-purpose'],
    ['http://a.localhost/', 'special-purpose'],
  ])('%s is refused', (url, reason) => {
    expect(check(url)).toContain(reason);
    expect(check(url)).toMatch(/^The webhook's url .*\.$/);
  });

  it('at an address that RCPT_ALLOW_HOSTS exempts is taken', () => {
    expect(check('http://127.0.0.1:3000/', ['127.0.0.1'])).toBeNull();
    expect(check('http://localhost:3000/', ['127.0.0.1'])).toBeNull();
    expect(check('http://127.0.0.2:3000/', ['127.0.0.1'])).toContain('special-purpose');
  });
});

it('names the secret and does not repeat it', () => {
  for (const bad of ['hunter2', 'whsec_hunter2', `${secret}!`, '']) {
    const sentence = checkWebhook('https://example.com/', bad, isAllowedBy([]));
    expect(sentence).toContain("The webhook's secret");
    if (bad !== '') expect(sentence).not.toContain(bad);
  }
});
