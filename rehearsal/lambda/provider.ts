import { statSync } from 'node:fs';
import { requireTrust } from '../iam/roles.ts';
import { assetPath } from '../template/assets.ts';
import { physicalName } from '../template/physical-name.ts';
import type { ResourceProvider } from '../template/provider.ts';
import { arn } from '../world.ts';
import { functionsOf } from './functions.ts';

/** Names that Lambda keeps for itself. From "Defined runtime environment variables" of its guide. */
const reserved =
  /^(AWS_REGION|AWS_DEFAULT_REGION|AWS_ACCESS_KEY.*|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|_HANDLER|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/;

/** Lambda's limit on all environment variables of a function together, in bytes. */
const LARGEST_ENVIRONMENT = 4096;

export const functionProvider: ResourceProvider = {
  type: 'AWS::Lambda::Function',
  properties: [
    'Architectures',
    'Code',
    'Description',
    'Environment',
    'FunctionName',
    'Handler',
    'LoggingConfig',
    'MemorySize',
    'ReservedConcurrentExecutions',
    'Role',
    'Runtime',
    'Tags',
    'Timeout',
    'TracingConfig',
    'VpcConfig',
  ],
  create(resource, world) {
    const { properties } = resource;
    const functionName: string = properties.FunctionName ?? physicalName(world, resource, 64);
    const functionArn = arn(world, 'lambda', `function:${functionName}`);
    if (!/^nodejs\d+\.x$/.test(properties.Runtime)) throw new Error(`the rehearsal cannot run ${properties.Runtime}.`);
    requireTrust(world, properties.Role, 'lambda.amazonaws.com');
    functionsOf(world).set(functionArn, {
      functionName,
      functionArn,
      roleArn: properties.Role,
      handler: properties.Handler,
      runtime: properties.Runtime,
      directory: codeDirectory(world.cloudAssembly, properties.Code),
      environment: checkedEnvironment(properties.Environment?.Variables ?? {}),
      timeoutSeconds: Number(properties.Timeout ?? 3),
      memorySize: Number(properties.MemorySize ?? 128),
      logGroup: String(properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${functionName}`),
      ...(properties.ReservedConcurrentExecutions === undefined
        ? {}
        : { reservedConcurrency: Number(properties.ReservedConcurrentExecutions) }),
    });
    return { ref: functionName, attributes: { Arn: functionArn } };
  },
};

function codeDirectory(
  cloudAssembly: string,
  code: { S3Bucket?: string; S3Key?: string; [other: string]: unknown },
): string {
  const { S3Key, S3Bucket, ...others } = code;
  if (S3Key === undefined || S3Bucket === undefined || Object.keys(others).length > 0) {
    throw new Error(`Code: the rehearsal runs code from an asset only, not from ${Object.keys(code).join(', ')}.`);
  }
  const path = assetPath(cloudAssembly, S3Key);
  if (!statSync(path).isDirectory()) throw new Error(`Code: the asset ${path} is no folder.`);
  return path;
}

function checkedEnvironment(variables: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(variables).map(([name, value]): [string, string] => [name, String(value)]);
  const forbidden = texts.map(([name]) => name).filter((name) => reserved.test(name));
  if (forbidden.length > 0) throw new Error(`Environment: Lambda reserves ${forbidden.join(', ')}.`);
  const size = texts.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size > LARGEST_ENVIRONMENT) throw new Error(`Environment: ${size} bytes; Lambda takes ${LARGEST_ENVIRONMENT}.`);
  return Object.fromEntries(texts);
}
