import { expect, test } from 'vitest';
import { clientAddress } from '../../rehearsal/stand-in/client-address.ts';

test.each([
  ['the peer without a header', undefined, '192.0.2.1', [], '192.0.2.1'],
  ['an IPv4 peer on an IPv6 socket', undefined, '::ffff:192.0.2.1', [], '192.0.2.1'],
  ['the last entry', '198.51.100.1, 203.0.113.7', '10.0.0.1', [], '203.0.113.7'],
  ['the last entry that is no proxy of ours', '203.0.113.7, 10.0.0.9', '10.0.0.1', ['10.0.0.0/16'], '203.0.113.7'],
  ['a port set aside', '203.0.113.7:49152', '10.0.0.1', [], '203.0.113.7'],
  ['IPv6 uncompressed and in small letters', '2001:DB8::1', '10.0.0.1', [], '2001:db8:0:0:0:0:0:1'],
  ['IPv6 with a port', '[2001:db8::1]:443', '10.0.0.1', [], '2001:db8:0:0:0:0:0:1'],
  ['IPv6 loopback', '::1', '10.0.0.1', [], '0:0:0:0:0:0:0:1'],
  ['0.0.0.0 when every entry is a proxy', '10.0.0.9', '10.0.0.1', ['10.0.0.0/16'], '0.0.0.0'],
  ['0.0.0.0 when the entry is no address', 'unknown', '10.0.0.1', [], '0.0.0.0'],
])('%s', (_case, forwardedFor, peer, ignored, expected) => {
  expect(clientAddress(forwardedFor, peer, ignored)).toBe(expected);
});

test('an ignore list that is no list of ranges is refused', () => {
  expect(() => clientAddress('203.0.113.7', '10.0.0.1', ['cloudfront'])).toThrow(/MOODLE_REVERSEPROXYIGNORE/);
});
