import { compileCache } from '../compile-cache.ts';
import { roleCredentials } from '../iam/credentials.ts';
import { namesOf } from '../machines/names.ts';
import type { World } from '../world.ts';
import type { LambdaFunction } from './functions.ts';
import { namesVariable } from './names.ts';

/**
 * Lambda has the authorities of RDS in /var/runtime/ca-cert.pem, which functions name in this variable or read
 * themselves. That file is not here: Node's own trust stands in for it.
 */
const certificateVariable = 'NODE_EXTRA_CA_CERTS';

/**
 * The whole environment of a function's process: the template's variables and those that Lambda sets. Of this computer's
 * own environment it has only what a process needs to run at all.
 */
export function environmentOf(world: World, lambda: LambdaFunction, logStream: string): Record<string, string> {
  const credentials = roleCredentials(world, lambda.roleArn, lambda.functionName);
  const { PATH = '', HOME = '' } = process.env;
  return {
    PATH,
    HOME,
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    ...compileCache,
    ...lambda.environment,
    [namesVariable]: JSON.stringify(namesOf(world).connections()),
    [certificateVariable]: world.certificateAuthorityFile,
    AWS_REGION: world.region,
    AWS_DEFAULT_REGION: world.region,
    AWS_ENDPOINT_URL: world.endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_EXECUTION_ENV: `AWS_Lambda_${lambda.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: lambda.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: lambda.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    LAMBDA_TASK_ROOT: lambda.directory,
    _HANDLER: lambda.handler,
  };
}
