import { AwsError, type Operation, type Permission, type Service } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import {
  type FoundParameter,
  parameterArn,
  parameterName,
  parametersOf,
  readParameter,
  writeParameter,
} from './parameter-store.ts';

/** Largest value of a standard parameter, in bytes. */
const LARGEST_VALUE = 4096;

/** SSM's parameters. */
export function ssmService(world: World): Service {
  return {
    signingName: 'ssm',
    protocol: 'json-1.1',
    targetPrefix: 'AmazonSSM',
    operations: {
      GetParameter: getParameter(world),
      GetParameters: getParameters(world),
      GetParametersByPath: getParametersByPath(world),
      PutParameter: putParameter(world),
      DeleteParameter: deleteParameter(world),
    },
  };
}

function permission(world: World, action: string, nameOrArn: string): Permission {
  return { action: `ssm:${action}`, resource: parameterArn(world, parameterName(nameOrArn).name) };
}

function describe(world: World, found: FoundParameter) {
  return {
    Name: found.name,
    Type: found.type,
    Value: found.value,
    Version: found.version,
    LastModifiedDate: new Date(found.lastModified),
    ARN: parameterArn(world, found.name),
    DataType: 'text',
  };
}

const getParameter = (world: World): Operation<{ Name: string }> => ({
  members: ['Name', 'WithDecryption'],
  required: ['Name'],
  permissions: ({ Name }) => [permission(world, 'GetParameter', Name)],
  run({ Name }) {
    const found = readParameter(world, Name);
    if (!found) throw new AwsError('ParameterNotFound', `There is no parameter ${Name}.`);
    return { Parameter: describe(world, found) };
  },
});

const getParameters = (world: World): Operation<{ Names: string[] }> => ({
  members: ['Names', 'WithDecryption'],
  required: ['Names'],
  permissions: ({ Names }) => Names.map((name) => permission(world, 'GetParameters', name)),
  run({ Names }) {
    if (Names.length > 10) throw new AwsError('ValidationException', 'At most 10 names in one call.');
    const found = Names.map((name) => ({ name, parameter: readParameter(world, name) }));
    return {
      Parameters: found.flatMap(({ parameter }) => (parameter ? [describe(world, parameter)] : [])),
      InvalidParameters: found.flatMap(({ name, parameter }) => (parameter ? [] : [name])),
    };
  },
});

const getParametersByPath = (
  world: World,
): Operation<{ Path: string; Recursive?: boolean; MaxResults?: number; NextToken?: string }> => ({
  members: ['Path', 'Recursive', 'WithDecryption', 'MaxResults', 'NextToken'],
  required: ['Path'],
  permissions: ({ Path }) => [permission(world, 'GetParametersByPath', Path.replace(/(.)\/$/, '$1'))],
  run({ Path, Recursive = false, MaxResults = 10, NextToken }) {
    const prefix = Path.endsWith('/') ? Path : `${Path}/`;
    const names = parametersOf(world)
      .entries()
      .map(([name]) => name)
      .filter((name) => name.startsWith(prefix) && (Recursive || !name.slice(prefix.length).includes('/')))
      .sort();
    const start = NextToken === undefined ? 0 : Number(NextToken);
    const found = names.slice(start, start + MaxResults).map((name) => readParameter(world, name));
    const end = start + MaxResults;
    return {
      Parameters: found.flatMap((parameter) => (parameter ? [describe(world, parameter)] : [])),
      NextToken: end < names.length ? String(end) : undefined,
    };
  },
});

const putParameter = (
  world: World,
): Operation<{ Name: string; Value: string; Type?: string; Overwrite?: boolean; Description?: string }> => ({
  members: ['Name', 'Value', 'Type', 'Overwrite', 'Description', 'DataType', 'Tier'],
  required: ['Name', 'Value'],
  permissions: ({ Name }) => [permission(world, 'PutParameter', Name)],
  run({ Name, Value, Type, Overwrite = false, Description }) {
    const known = parametersOf(world).get(Name);
    if (known && !Overwrite) {
      throw new AwsError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    }
    if (!known && Type === undefined)
      throw new AwsError('ValidationException', `A new parameter needs a Type: ${Name}.`);
    if (Buffer.byteLength(Value) > LARGEST_VALUE) {
      throw new AwsError(
        'ValidationException',
        `Standard tier parameters support a maximum parameter value of ${LARGEST_VALUE} characters.`,
      );
    }
    if (Value === '' || /\{\{.*\}\}/s.test(Value)) {
      throw new AwsError('ValidationException', `Parameter value of ${Name} is empty or contains {{}}.`);
    }
    const { version } = writeParameter(world, Name, Value, {
      ...(Type === undefined ? {} : { type: Type }),
      ...(Description === undefined ? {} : { description: Description }),
    });
    return { Version: version, Tier: 'Standard' };
  },
});

const deleteParameter = (world: World): Operation<{ Name: string }> => ({
  members: ['Name'],
  required: ['Name'],
  permissions: ({ Name }) => [permission(world, 'DeleteParameter', Name)],
  run({ Name }) {
    if (!parametersOf(world).get(Name)) throw new AwsError('ParameterNotFound', `There is no parameter ${Name}.`);
    parametersOf(world).delete(Name);
    return {};
  },
});
