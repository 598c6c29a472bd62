import { perWorld } from '../per-world.ts';
import { LOOPBACK } from './ports.ts';

/**
 * Where a rehearsal's servers are on this computer, and which names lead to them. The account has no DNS, and an ordinary
 * user cannot open the ports 80 and 443: whoever connects to a name connects to another port of this computer instead.
 */
export class Names {
  /** Ports of this computer by the port that the world knows, by the server's own make-believe name. */
  readonly #servers = new Map<string, Map<number, number>>();
  /** Make-believe names by the name that leads to them. */
  readonly #aliases = new Map<string, string>();

  /** @param server name of a load balancer or a distribution, as its `DNSName` or `DomainName` tells it */
  listens(server: string, port: number, localPort: number): void {
    const ports = this.#servers.get(server) ?? new Map<number, number>();
    ports.set(port, localPort);
    this.#servers.set(server, ports);
  }

  /** @throws Error for a server that there is not */
  lead(name: string, server: string): void {
    const target = server.replace(/^dualstack\./, '').replace(/\.$/, '');
    if (!this.#servers.has(target)) throw new Error(`${name} cannot lead to ${server}: there is no such server.`);
    this.#aliases.set(name.replace(/\.$/, '').toLowerCase(), target);
  }

  knows(name: string): boolean {
    return this.#aliases.has(name.toLowerCase());
  }

  /** The port of this computer that stands for a port of a server or of a name; undefined where nobody listens. */
  localPort(name: string, port: number): number | undefined {
    return this.#servers.get(this.#aliases.get(name.toLowerCase()) ?? name)?.get(port);
  }

  /** Every name with the ports that it leads to, as `name:port` and the port of this computer. */
  connections(): Record<string, number> {
    return Object.fromEntries(
      [...this.#aliases].flatMap(([name, server]) =>
        [...(this.#servers.get(server) ?? [])].map(([port, localPort]) => [`${name}:${port}`, localPort]),
      ),
    );
  }
}

export const namesOf = perWorld(() => new Names());

/**
 * Does what the operator does who has DNS elsewhere: lets the site's name lead to where the outputs say. Nothing to do
 * where the site has no name of its own, or a hosted zone of the templates has it.
 *
 * @param output value of an output of the stacks; undefined when there is none
 */
export function pointOwnDns(names: Names, output: (key: string) => string | undefined): void {
  const address = output('SiteAddress');
  const server = output('CloudFrontName') ?? output('LoadBalancerName');
  if (address === undefined || server === undefined) return;
  const { hostname } = new URL(address);
  if (hostname !== LOOPBACK && !names.knows(hostname)) names.lead(hostname, server);
}
