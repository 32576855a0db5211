import { expect, test } from 'vitest';
import { isRole } from './index.ts';

test.each([
  // RFC 2142
  ...[
    'info',
    'marketing',
    'sales',
    'support',
    'abuse',
    'noc',
    'security',
    'postmaster',
    'hostmaster',
    'usenet',
  ],
  ...['news', 'webmaster', 'www', 'uucp', 'ftp', 'list-request', 'gardening-request'],
  ...[
    'INFO',
    'Info',
    'info+spring',
    '"info"',
    'no-reply',
    'noreply',
    'admin',
    'root',
    'mailer-daemon',
    'billing',
  ],
  ...['kontakt', 'contacto', 'owner-gardening', 'gardening-owner', 'gardening-bounces'],
])('%s is a role', (localPart) => {
  expect(isRole(localPart)).toBe(true);
});

test.each([
  'ada',
  'ada.lovelace',
  'information',
  'infos.ada',
  'ada+info',
  '+info',
  'jörg',
  '""',
  'salesman',
  'requested',
])('%s is a person', (localPart) => {
  expect(isRole(localPart)).toBe(false);
});
