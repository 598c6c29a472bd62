/**
 * `Fn::Cidr` for IPv4.
 *
 * @param bits how many bits of an address are the host's, for example 8 for /24
 */
export function cidrBlocks(block: string, count: number, bits: number): string[] {
  const [address = '', prefix] = block.split('/');
  const octets = address.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !(octet >= 0 && octet <= 255))) {
    throw new Error(`Fn::Cidr: the rehearsal knows IPv4 blocks only, not ${block}.`);
  }
  const base = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** bits;
  if (count * size > 2 ** (32 - Number(prefix)))
    throw new Error(`Fn::Cidr: ${block} has no ${count} blocks of ${size}.`);
  return Array.from({ length: count }, (_, index) => {
    const start = base + index * size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.')}/${32 - bits}`;
  });
}
