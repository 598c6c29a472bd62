import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { World } from '../world.ts';
import { certificateFor, certificatesBeside } from './certificates.ts';

/**
 * What a server needs to speak TLS under every name that a client may ask for: certificates are made as they are asked
 * for, by the rehearsal's own authority, in the place of those that ACM would have.
 */
export function tlsServerOptions({ certificateAuthorityFile }: Pick<World, 'certificateAuthorityFile'>): TlsOptions {
  const { certificateFile, keyFile } = certificatesBeside(certificateAuthorityFile);
  const made = new Map<string, Promise<SecureContext>>();
  const contextFor = (name: string) => {
    const context =
      made.get(name) ??
      certificateFor(certificateAuthorityFile, name).then((identity) => createSecureContext(identity));
    made.set(name, context);
    return context;
  };
  return {
    // For clients that come by address and name nobody.
    key: readFileSync(keyFile),
    cert: readFileSync(certificateFile),
    minVersion: 'TLSv1.2',
    SNICallback: (name, answer) => {
      contextFor(name.toLowerCase()).then(
        (context) => answer(null, context),
        (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))),
      );
    },
  };
}
