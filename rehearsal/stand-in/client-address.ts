import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * The client's address as Moodle's getremoteaddr() sees it with `$CFG->getremoteaddrconf = 1`: the last entry of
 * X-Forwarded-For outside `$CFG->reverseproxyignore`, else the peer. When every entry is to be ignored Moodle answers
 * 0.0.0.0, which is also the `lastip` that a CLI install leaves; kept here because a phase could fall over it.
 * IPv6 comes uncompressed (2001:db8:0:0:0:0:0:1), as Moodle compares it.
 */
export function clientAddress(forwardedFor: string | undefined, peer: string, ignored: readonly string[]): string {
  if (!forwardedFor) return normalised(peer.replace(/^::ffff:(?=\d+\.)/, '')) ?? '0.0.0.0';
  const ranges = blockList(ignored);
  const entries = forwardedFor.split(',').map(withoutPort);
  const last = entries.filter((entry) => !isIP(entry) || !ranges.check(entry, family(entry))).at(-1);
  return (last !== undefined && normalised(last)) || '0.0.0.0';
}

function withoutPort(entry: string): string {
  const text = entry.trim();
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(text);
  if (bracketed?.[1]) return bracketed[1];
  return text.replace(/^([^:]*):\d*$/, '$1');
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', bits] = range.split('/');
    if (!isIP(net)) throw new Error(`MOODLE_REVERSEPROXYIGNORE holds "${range}", which is no address or CIDR range`);
    if (bits === undefined) list.addAddress(net, family(net));
    else list.addSubnet(net, Number(bits), family(net));
  }
  return list;
}

const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');

function normalised(address: string): string | undefined {
  if (isIPv4(address)) return address;
  if (!isIP(address)) return undefined;
  // The URL parser writes an embedded IPv4 part in hexadecimal and lowers the case.
  const compressed = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = compressed.split('::');
  const left = head.split(':').filter((part) => part !== '');
  const right = (tail ?? '').split(':').filter((part) => part !== '');
  return [...left, ...Array(8 - left.length - right.length).fill('0'), ...right].join(':');
}
