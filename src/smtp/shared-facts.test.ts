import { describe, expect, it } from 'vitest';
import type { DomainName } from '../address/index.ts';
import { domainSubject, laneSubject, MAX_SUBJECT_LENGTH } from './shared-facts.ts';

const domain = 'd.test' as DomainName;

describe('subjects', () => {
  it('name the domain or the exchanges, and the source where it counts', () => {
    expect(domainSubject(domain, null)).toBe('domain d.test');
    expect(domainSubject(domain, '192.0.2.1')).toBe('domain d.test from 192.0.2.1');
    expect(laneSubject('mx1.test mx2.test', null)).toBe('exchanges mx1.test mx2.test');
  });

  it.each([
    ['many exchanges', Array.from({ length: 100 }, (_, n) => `mx${n}.test`).join(' ')],
    ['an octet that a database refuses', 'mx\u0000.test'],
    ['a line', 'a\nb'],
    ['another script', 'ü'.repeat(10)],
  ])('hold %s as a digest: plain and short, one for each', (_name, text) => {
    const subject = laneSubject(text, text);
    expect(subject).toMatch(/^[!-~ ]+$/);
    expect(subject.length).toBeLessThanOrEqual(MAX_SUBJECT_LENGTH);
    expect(laneSubject(`${text}x`, text)).not.toBe(subject);
    expect(laneSubject(text, `${text}x`)).not.toBe(subject);
    expect(laneSubject(text, text)).toBe(subject);
  });
});
