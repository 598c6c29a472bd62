import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificates {
  /** PEM file of the certificate authority: what clients trust. */
  readonly certificateAuthorityFile: string;
  /** PEM file with what the authority signs by. */
  readonly authorityKeyFile: string;
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
  const files = certificatesIn(folder);
  if (!existsSync(files.certificateFile) || !existsSync(files.authorityKeyFile)) await make(folder, files);
  return files;
}

/** The files that `prepareCertificates` made for this folder. */
export function certificatesBeside(certificateAuthorityFile: string): Certificates {
  return certificatesIn(join(certificateAuthorityFile, '..'));
}

function certificatesIn(folder: string): Certificates {
  return {
    certificateAuthorityFile: join(folder, 'authority.pem'),
    authorityKeyFile: join(folder, 'authority-key.pem'),
    certificateFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server-key.pem'),
  };
}

/** What a TLS server needs. */
export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
}

/** A certificate for a name, as ACM has one for a name that is proven; here whoever asks gets it. */
export async function certificateFor(certificateAuthorityFile: string, name: string): Promise<ServerIdentity> {
  const files = certificatesBeside(certificateAuthorityFile);
  const ca = {
    key: readFileSync(files.authorityKeyFile, 'utf8'),
    cert: readFileSync(files.certificateAuthorityFile, 'utf8'),
  };
  const { private: key, cert } = await generate([{ name: 'commonName', value: name.slice(0, 64) }], {
    ...usual(),
    ca,
    extensions: serverExtensions([{ type: 2, value: name }]),
  });
  return { key, cert };
}

function usual() {
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + YEARS);
  return { keyType: 'ec' as const, curve: 'P-256' as const, algorithm: 'sha256', notAfterDate };
}

type AlternativeName = { readonly type: 2; readonly value: string } | { readonly type: 7; readonly ip: string };

function serverExtensions(altNames: AlternativeName[]) {
  return [
    { name: 'basicConstraints' as const, cA: false, critical: true },
    { name: 'keyUsage' as const, digitalSignature: true, critical: true },
    { name: 'extKeyUsage' as const, serverAuth: true },
    { name: 'subjectAltName' as const, altNames },
  ];
}

async function make(folder: string, files: Certificates): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const authority = await generate([{ name: 'commonName', value: 'Rehearsal certificate authority' }], {
    ...usual(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...usual(),
    ca: { key: authority.private, cert: authority.cert },
    extensions: serverExtensions([
      { type: 2, value: 'localhost' },
      { type: 7, ip: '127.0.0.1' },
    ]),
  });
  writeFileSync(files.certificateAuthorityFile, authority.cert);
  writeFileSync(files.authorityKeyFile, authority.private, { mode: 0o600 });
  writeFileSync(files.keyFile, server.private, { mode: 0o600 });
  // Last, because its presence means that all of them are there.
  writeFileSync(files.certificateFile, server.cert);
}
