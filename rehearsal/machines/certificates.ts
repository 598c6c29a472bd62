import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificates {
  /** PEM file of the certificate authority: what clients trust. */
  readonly certificateAuthorityFile: string;
  /** PEM files of the server certificate for 127.0.0.1 and localhost. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

const YEARS = 10;

/**
 * A certificate authority of this rehearsal's own and one server certificate signed by it. Made once per folder: what
 * trusted the authority yesterday trusts it today.
 *
 * @param directory folder of the rehearsal; the files go to `certificates/` in it
 */
export async function prepareCertificates(directory: string): Promise<Certificates> {
  const folder = join(directory, 'certificates');
  const files = {
    certificateAuthorityFile: join(folder, 'authority.pem'),
    certificateFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server-key.pem'),
  };
  if (!existsSync(files.certificateFile)) await make(folder, files);
  return files;
}

/** The files that `prepareCertificates` made for this folder. */
export function certificatesBeside(certificateAuthorityFile: string): Certificates {
  const folder = join(certificateAuthorityFile, '..');
  return {
    certificateAuthorityFile,
    certificateFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server-key.pem'),
  };
}

async function make(folder: string, files: Certificates): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + YEARS);
  const common = { keyType: 'ec' as const, curve: 'P-256' as const, algorithm: 'sha256', notAfterDate };
  const authority = await generate([{ name: 'commonName', value: 'Rehearsal certificate authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  writeFileSync(files.certificateAuthorityFile, authority.cert);
  writeFileSync(files.keyFile, server.private, { mode: 0o600 });
  // Last, because its presence means that all of them are there.
  writeFileSync(files.certificateFile, server.cert);
}
