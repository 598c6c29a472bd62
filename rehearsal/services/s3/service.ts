import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  AwsError,
  type Operation,
  type OperationContext,
  type Permission,
  type Service,
} from '../../endpoint/service.ts';
import { authorize } from '../../iam/authorize.ts';
import { objectFile } from '../../machines/objects.ts';
import type { World } from '../../world.ts';
import { type Bucket, bucketsOf, objectsOf, type StoredObject } from './buckets.ts';
import { decode, encode } from './wire.ts';

/** The part of Amazon S3's API that rollouts and operators use, for the templates' buckets. Objects are files. */
export function s3Service(world: World): Service {
  return {
    signingName: 's3',
    protocol: 'rest-xml',
    restXml: { decode: (request) => decode(world, request), encode },
    operations: {
      PutObject: putObject(world),
      GetObject: readObject(world, true),
      HeadObject: readObject(world, false),
      DeleteObject: deleteObject(world),
      ListObjectsV2: listObjects(world),
      HeadBucket: headBucket(world),
      ListBuckets: listBuckets(world),
    },
  };
}

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
}

const objectArn = (world: World, { Bucket, Key }: ObjectInput) => `arn:${world.partition}:s3:::${Bucket}/${Key}`;
const bucketArn = (world: World, { Bucket }: { readonly Bucket: string }) => `arn:${world.partition}:s3:::${Bucket}`;

/** Whoever reads or writes what is encrypted has to be let to the key. */
function permissions(world: World, action: string, input: ObjectInput, keyActions: readonly string[]): Permission[] {
  const keyArn = bucketsOf(world).get(input.Bucket)?.keyArn;
  return [
    { action: `s3:${action}`, resource: objectArn(world, input) },
    ...(keyArn === undefined ? [] : keyActions.map((keyAction) => ({ action: keyAction, resource: keyArn }))),
  ];
}

/** @throws AwsError NoSuchBucket */
function requireBucket(world: World, name: string): Bucket {
  const found = bucketsOf(world).get(name);
  if (found) return found;
  throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
}

interface PutInput extends ObjectInput {
  readonly Body: Uint8Array;
  readonly ContentType?: string;
  readonly ContentMD5?: string;
  readonly IfNoneMatch?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
}

const putObject = (world: World): Operation<PutInput> => ({
  members: [
    'Bucket',
    'Key',
    'Body',
    'CacheControl',
    'ContentMD5',
    'ContentType',
    'ExpectedBucketOwner',
    'IfNoneMatch',
    'Metadata',
    'ServerSideEncryption',
  ],
  required: ['Bucket', 'Key', 'Body'],
  permissions: (input) => permissions(world, 'PutObject', input, ['kms:GenerateDataKey']),
  run({ Bucket, Key, Body, ContentType = 'binary/octet-stream', ContentMD5, IfNoneMatch, Metadata = {} }) {
    requireBucket(world, Bucket);
    const digest = createHash('md5').update(Body);
    const eTag = `"${digest.copy().digest('hex')}"`;
    if (ContentMD5 !== undefined && ContentMD5 !== digest.digest('base64')) {
      throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    if (IfNoneMatch === '*' && findObject(world, { Bucket, Key })) {
      throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
    }
    const file = objectFile(world, Bucket, Key);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, Body);
    renameSync(`${file}.new`, file);
    objectsOf(world).set(`${Bucket}/${Key}`, {
      bucket: Bucket,
      key: Key,
      size: Body.length,
      eTag,
      lastModified: new Date().toISOString(),
      contentType: ContentType,
      metadata: Metadata,
    });
    return { ETag: eTag };
  },
});

/** An object that was put, or one whose file somebody has laid there. */
function findObject(world: World, { Bucket, Key }: ObjectInput): StoredObject | undefined {
  const stat = statSync(objectFile(world, Bucket, Key), { throwIfNoEntry: false });
  if (!stat) return undefined;
  return (
    objectsOf(world).get(`${Bucket}/${Key}`) ?? {
      bucket: Bucket,
      key: Key,
      size: stat.size,
      eTag: `"${createHash('md5').update(`${stat.size} ${stat.mtimeMs}`).digest('hex')}"`,
      lastModified: stat.mtime.toISOString(),
      contentType: 'binary/octet-stream',
      metadata: {},
    }
  );
}

const readObject = (world: World, withBody: boolean): Operation<ObjectInput & { readonly IfMatch?: string }> => ({
  members: ['Bucket', 'Key', 'IfMatch', 'ExpectedBucketOwner'],
  required: ['Bucket', 'Key'],
  permissions: (input) => permissions(world, 'GetObject', input, ['kms:Decrypt']),
  run(input, context) {
    requireBucket(world, input.Bucket);
    const found = findObject(world, input);
    if (!found) throw missing(world, input, context);
    if (input.IfMatch !== undefined && input.IfMatch !== found.eTag) {
      throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
    }
    return {
      ContentLength: found.size,
      ContentType: found.contentType,
      ETag: found.eTag,
      LastModified: new Date(found.lastModified),
      Metadata: found.metadata,
      ...(withBody ? { Body: readFileSync(objectFile(world, input.Bucket, input.Key)) } : {}),
    };
  },
});

/** Who may not list the bucket is not told that an object is not there. */
function missing(world: World, input: ObjectInput, { principal }: OperationContext): AwsError {
  const absent = new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  if (principal.kind === 'operator') return absent;
  try {
    authorize(
      world,
      principal,
      { action: 's3:ListBucket', resource: bucketArn(world, input) },
      { signingName: 's3', protocol: 'rest-xml' },
    );
    return absent;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

const deleteObject = (world: World): Operation<ObjectInput> => ({
  members: ['Bucket', 'Key', 'ExpectedBucketOwner'],
  required: ['Bucket', 'Key'],
  permissions: (input) => permissions(world, 'DeleteObject', input, []),
  run({ Bucket, Key }) {
    requireBucket(world, Bucket);
    rmSync(objectFile(world, Bucket, Key), { force: true });
    objectsOf(world).delete(`${Bucket}/${Key}`);
    return {};
  },
});

interface ListInput {
  readonly Bucket: string;
  readonly Prefix?: string;
  readonly Delimiter?: string;
  readonly MaxKeys?: string;
  readonly ContinuationToken?: string;
  readonly StartAfter?: string;
  readonly EncodingType?: string;
}

const LARGEST_PAGE = 1000;

const listObjects = (world: World): Operation<ListInput> => ({
  members: [
    'Bucket',
    'Prefix',
    'Delimiter',
    'MaxKeys',
    'ContinuationToken',
    'StartAfter',
    'EncodingType',
    'FetchOwner',
  ],
  required: ['Bucket'],
  permissions: (input) => [
    {
      action: 's3:ListBucket',
      resource: bucketArn(world, input),
      conditions: { 's3:prefix': input.Prefix ?? '', 's3:delimiter': input.Delimiter ?? '' },
    },
  ],
  run(input) {
    const { Bucket, Prefix = '', Delimiter, ContinuationToken, StartAfter = '' } = input;
    requireBucket(world, Bucket);
    const after = ContinuationToken === undefined ? StartAfter : Buffer.from(ContinuationToken, 'base64url').toString();
    const maxKeys = Math.min(Number(input.MaxKeys ?? LARGEST_PAGE), LARGEST_PAGE);
    const found = objectsOf(world)
      .entries()
      .map(([, object]) => object)
      .filter(({ bucket, key }) => bucket === Bucket && key.startsWith(Prefix) && key > after)
      .sort((one, other) => (one.key < other.key ? -1 : 1));
    const { objects, prefixes } = folded(found, Prefix, Delimiter);
    const items = objects.slice(0, maxKeys);
    const truncated = items.length < objects.length;
    const encoded = (text: string) => (input.EncodingType === 'url' ? encodeURIComponent(text) : text);
    const last = items.at(-1)?.key ?? '';
    return {
      document: {
        name: 'ListBucketResult',
        content: {
          Name: Bucket,
          Prefix: encoded(Prefix),
          Delimiter,
          EncodingType: input.EncodingType,
          KeyCount: items.length,
          MaxKeys: maxKeys,
          IsTruncated: truncated,
          NextContinuationToken: truncated ? Buffer.from(last).toString('base64url') : undefined,
          Contents: items.map(({ key, lastModified, eTag, size }) => ({
            Key: encoded(key),
            LastModified: new Date(lastModified),
            ETag: eTag,
            Size: size,
            StorageClass: 'STANDARD',
          })),
          CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encoded(prefix) })),
        },
      },
    };
  },
});

/** Keys that go on after a delimiter are shown as the part up to it, once. */
function folded(objects: readonly StoredObject[], prefix: string, delimiter: string | undefined) {
  if (!delimiter) return { objects, prefixes: [] };
  const prefixOf = (key: string) => {
    const end = key.indexOf(delimiter, prefix.length);
    return end < 0 ? undefined : key.slice(0, end + delimiter.length);
  };
  return {
    objects: objects.filter(({ key }) => prefixOf(key) === undefined),
    prefixes: [...new Set(objects.flatMap(({ key }) => prefixOf(key) ?? []))],
  };
}

const headBucket = (world: World): Operation<{ Bucket: string }> => ({
  members: ['Bucket', 'ExpectedBucketOwner'],
  required: ['Bucket'],
  permissions: (input) => [{ action: 's3:ListBucket', resource: bucketArn(world, input) }],
  run({ Bucket }) {
    requireBucket(world, Bucket);
    return { 'x-amz-bucket-region': world.region };
  },
});

const listBuckets = (world: World): Operation => ({
  members: [],
  permissions: () => [{ action: 's3:ListAllMyBuckets', resource: '*' }],
  run: () => ({
    document: {
      name: 'ListAllMyBucketsResult',
      content: {
        Buckets: {
          Bucket: [...bucketsOf(world).values()].map(({ name, created }) => ({ Name: name, CreationDate: created })),
        },
        Owner: { ID: world.account },
      },
    },
  }),
});
