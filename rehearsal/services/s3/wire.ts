import type { Answer } from '../../endpoint/answer.ts';
import type { RestRequest } from '../../endpoint/rest-json.ts';
import { AwsError } from '../../endpoint/service.ts';
import { encodeXmlDocument } from '../../endpoint/xml.ts';
import type { World } from '../../world.ts';

/** Headers of a request that say nothing about the object. */
const transportHeaders =
  /^(host|connection|user-agent|accept|accept-encoding|authorization|content-length|transfer-encoding|expect|date|amz-sdk-.*|x-amz-(date|content-sha256|security-token|user-agent|decoded-content-length|trailer|checksum-.*|sdk-checksum-algorithm))$/;

/** Members of the input by the header that carries them. */
const headerMembers: Readonly<Record<string, string>> = {
  'content-type': 'ContentType',
  'cache-control': 'CacheControl',
  'content-md5': 'ContentMD5',
  'if-match': 'IfMatch',
  'if-none-match': 'IfNoneMatch',
  'x-amz-server-side-encryption': 'ServerSideEncryption',
  'x-amz-expected-bucket-owner': 'ExpectedBucketOwner',
};

/** Members of the input by the word of the query that carries them. */
const queryMembers: Readonly<Record<string, string>> = {
  'continuation-token': 'ContinuationToken',
  delimiter: 'Delimiter',
  'encoding-type': 'EncodingType',
  'fetch-owner': 'FetchOwner',
  'max-keys': 'MaxKeys',
  prefix: 'Prefix',
  'start-after': 'StartAfter',
};

/**
 * Operation and input of a request to S3, whose bucket is named by the path or by the host.
 *
 * @throws AwsError UnsupportedOperation
 */
export function decode(
  world: Pick<World, 'endpoint'>,
  request: RestRequest,
): { operation: string; input: Record<string, unknown> } {
  const { pathname, searchParams } = new URL(request.url, 'http://endpoint');
  const place = placeOf(world, String(request.headers.host ?? ''), pathname);
  searchParams.delete('x-id');
  const operation = operationOf(request.method, place, searchParams);
  searchParams.delete('list-type');
  const bucket = place.bucket === '' ? {} : { Bucket: place.bucket };
  return {
    operation,
    input: {
      ...bucket,
      ...(place.key === '' ? {} : { Key: place.key }),
      ...Object.fromEntries([...searchParams].map(([word, value]) => [queryMembers[word] ?? word, value])),
      ...membersOfHeaders(request.headers),
      ...(operation === 'PutObject' ? { Body: plainBody(request) } : {}),
    },
  };
}

interface Place {
  readonly bucket: string;
  readonly key: string;
}

function placeOf({ endpoint }: Pick<World, 'endpoint'>, host: string, pathname: string): Place {
  const own = new URL(endpoint).host;
  const path = pathname.slice(1);
  if (host.endsWith(`.${own}`)) return { bucket: host.slice(0, -own.length - 1), key: decodeURIComponent(path) };
  const [bucket = '', ...key] = path.split('/');
  return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key.join('/')) };
}

function operationOf(method: string, { bucket, key }: Place, query: URLSearchParams): string {
  const plain = [...query.keys()].every((word) => Object.hasOwn(queryMembers, word) || word === 'list-type');
  if (plain && key !== '') {
    const operation = { PUT: 'PutObject', GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }[method];
    if (operation !== undefined) return operation;
  }
  if (plain && key === '' && method === 'GET') {
    if (bucket === '') return 'ListBuckets';
    if (query.get('list-type') === '2') return 'ListObjectsV2';
  }
  if (plain && key === '' && bucket !== '' && method === 'HEAD') return 'HeadBucket';
  throw new AwsError(
    'UnsupportedOperation',
    `The rehearsal's S3 does not have “${method} /${bucket}${key === '' ? '' : '/…'}?${[...query.keys()].join('&')}”. Nothing was done.`,
  );
}

/** A header that is not known becomes a member that no operation knows, and so is refused. */
function membersOfHeaders(headers: RestRequest['headers']): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || transportHeaders.test(name) || isChunking(name, value)) continue;
    if (name.startsWith('x-amz-meta-')) metadata[name.slice('x-amz-meta-'.length)] = String(value);
    else members[headerMembers[name] ?? name] = value;
  }
  return Object.keys(metadata).length > 0 ? { ...members, Metadata: metadata } : members;
}

function isChunking(name: string, value: string | string[]): boolean {
  return name === 'content-encoding' && String(value) === 'aws-chunked';
}

/** A body that is sent in parts, each after its length, without what is around them. */
function plainBody({ headers, body }: RestRequest): Uint8Array {
  if (!String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')) return body;
  const parts: Uint8Array[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = Buffer.from(body).indexOf('\r\n', position);
    const length = Number.parseInt(Buffer.from(body).toString('latin1', position, lineEnd), 16);
    if (lineEnd < 0 || !Number.isInteger(length)) throw new AwsError('IncompleteBody', 'The body is not in parts.');
    if (length === 0) return Buffer.concat(parts);
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + length));
    position = lineEnd + 2 + length + 2;
  }
}

/** Headers of an answer by the member of the output. */
const answerHeaders: Readonly<Record<string, string>> = {
  ContentLength: 'content-length',
  ContentType: 'content-type',
  ETag: 'etag',
  LastModified: 'last-modified',
};

interface Output {
  readonly Body?: Uint8Array;
  readonly Metadata?: Readonly<Record<string, string>>;
  /** The answer as an XML document of this name. */
  readonly document?: { readonly name: string; readonly content: object };
  readonly [member: string]: unknown;
}

export function encode(operation: string, { Body, Metadata, document, ...members }: Output): Answer {
  const headers = Object.fromEntries([
    ...Object.entries(members).map(([member, value]) => [answerHeaders[member] ?? member, headerText(value)]),
    ...Object.entries(Metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, value]),
    ...(document ? [['content-type', 'application/xml']] : []),
  ]);
  const body = document ? encodeXmlDocument(document.name, document.content, namespace) : (Body ?? '');
  return { statusCode: operation === 'DeleteObject' ? 204 : 200, headers, body };
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

function headerText(value: unknown): string {
  return value instanceof Date ? value.toUTCString() : String(value);
}
