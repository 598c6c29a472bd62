import { request as httpRequest, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { type Database, readConfig } from '../database.ts';
import { openNodeParts } from '../node-parts.ts';
import type { Settings } from '../settings.ts';
import { startWebServer } from '../web/server.ts';
import type { Outcome } from './one-off.ts';

/** Addresses of the documentation ranges (RFC 5737), which no operator has; the second when the first is asked for. */
const STRANGERS = ['192.0.2.1', '198.51.100.1'] as const;

/**
 * Proves on loopback that admin/index.php goes on for this client address and refuses another.
 * @throws Error when `ip` is no address
 */
export async function checkWizard(database: Database, settings: Settings, ip: string | undefined): Promise<Outcome> {
  if (!ip || !isIP(ip)) throw new Error(`check-wizard <ip>: "${ip ?? ''}" is no IP address`);
  if ((await readConfig(database)).get('adminsetuppending') !== '1') {
    return { ok: false, problem: 'no install waits to be finished in a browser: adminsetuppending is not set' };
  }
  const parts = await openNodeParts(database, settings);
  const server = await startWebServer(
    { settings, node: 'check-wizard', database, ...parts },
    { host: '127.0.0.1', port: 0 },
  );
  try {
    const visit = (address: string) =>
      visitWizard(server.port, settings.wwwroot.host, address, (sid) => parts.sessions.destroy(sid));
    const refusedStatus = await visit(ip === STRANGERS[0] ? STRANGERS[1] : STRANGERS[0]);
    const allowedStatus = await visit(ip);
    const ok = allowedStatus === 303 && refusedStatus === 404;
    const problem = `admin/index.php answered ${allowedStatus} to ${ip} (wanted 303) and ${refusedStatus} to a stranger (wanted 404)`;
    return { ok, allowedStatus, refusedStatus, ...(ok ? {} : { problem }) };
  } finally {
    await server.drain();
    parts.close();
  }
}

/** Follows admin/index.php to itself with the cookie it gives; the first answer that leads elsewhere is the verdict. */
async function visitWizard(
  port: number,
  host: string,
  address: string,
  forget: (sid: string) => Promise<void>,
): Promise<number> {
  let path = '/admin/index.php';
  let sid: string | undefined;
  try {
    for (;;) {
      const headers = { Host: host, 'X-Forwarded-For': address, ...(sid ? { Cookie: `MoodleSession=${sid}` } : {}) };
      const answered = await get(port, path, headers);
      sid = /^MoodleSession=(\w+)/.exec(answered.headers['set-cookie']?.[0] ?? '')?.[1] ?? sid;
      const { location } = answered.headers;
      if (!location?.startsWith('/admin/index.php?')) return answered.statusCode ?? 0;
      path = location;
    }
  } finally {
    if (sid) await forget(sid);
  }
}

function get(port: number, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (answered) => {
      answered.resume();
      answered.once('end', () => resolve(answered));
    })
      .once('error', reject)
      .end();
  });
}
