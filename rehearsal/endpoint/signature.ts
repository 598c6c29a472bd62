import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from './service.ts';

export interface Signature {
  readonly accessKeyId: string;
  /** The service in the credential scope, for example `states`. */
  readonly service: string;
}

const credential = /^AWS4-HMAC-SHA256 .*?Credential=([^/,\s]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/;

/**
 * Who calls which service, as the Signature Version 4 header says. The signature itself is not verified: the endpoint is
 * on loopback, and its keys are make-believe.
 *
 * @throws AwsError MissingAuthenticationToken for a request that is not signed
 */
export function readSignature(headers: IncomingHttpHeaders): Signature {
  const [, accessKeyId, service] = credential.exec(headers.authorization ?? '') ?? [];
  if (accessKeyId === undefined || service === undefined) {
    throw new AwsError(
      'MissingAuthenticationToken',
      'The request has no AWS Signature Version 4. Sign it with any access key, for example AWS_ACCESS_KEY_ID=rehearsal.',
      403,
    );
  }
  return { accessKeyId, service };
}
