import { isIPv6 } from 'node:net';

/**
 * An IP address in the form that Moodle compares `lastip` with, string by string: IPv4 as it is, IPv6 as eight groups of
 * small hexadecimal digits without leading zeros and without `::` (its `cleanremoteaddr()`).
 *
 * @param address a valid address, IPv6 without a dotted end and without a zone
 */
export function asMoodleWritesIt(address: string): string {
  const plain = address.trim();
  if (!isIPv6(plain)) return plain;
  // A URL's host is in the shortest form, without leading zeros.
  const compressed = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [head = '', tail] = compressed.split('::');
  const groups = (half: string | undefined) => (half ? half.split(':') : []);
  if (tail === undefined) return compressed;
  const missing = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)].join(':');
}
