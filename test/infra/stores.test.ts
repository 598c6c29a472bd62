import { describe, expect, it } from 'vitest';
import { memcachedNeedsItsPlugin } from '../../infra/options/cache.ts';
import { type contexts, synthesised } from './synthesised.ts';

type Configuration = keyof typeof contexts;

const groupsOf = (configuration: Configuration) =>
  synthesised(configuration).resources.filter(({ Type }) => Type === 'AWS::ElastiCache::ReplicationGroup');

/** Which keys give way in the stores, by the purpose that the store's own description names. */
function evictionPolicies(configuration: Configuration): Record<string, string> {
  const { resources } = synthesised(configuration);
  return Object.fromEntries(
    groupsOf(configuration).map(({ Properties }) => {
      const parameters = resources.find(({ id }) => id === Properties.CacheParameterGroupName.Ref);
      return [
        String(Properties.ReplicationGroupDescription).replace(/ of \w+$/, ''),
        parameters?.Properties.Properties['maxmemory-policy'],
      ];
    }),
  );
}

describe('stores', () => {
  it('keep sessions and application cache apart: each on a server of its own, full in its own way', () => {
    for (const configuration of ['dev', 'prod'] as const) {
      expect(evictionPolicies(configuration)).toEqual({
        Sessions: 'volatile-ttl',
        'Application cache': 'allkeys-lru',
      });
    }
  });

  it('are Valkey of a version that has its parameters', () => {
    for (const { Properties } of groupsOf('dev')) {
      expect(Properties).toMatchObject({ Engine: 'valkey', EngineVersion: '8.1', CacheNodeType: 'cache.t4g.micro' });
    }
    const families = synthesised('dev').resources.filter(({ Type }) => Type === 'AWS::ElastiCache::ParameterGroup');
    for (const { Properties } of families) expect(Properties.CacheParameterGroupFamily).toBe('valkey8');
  });

  it('can be one server, which drops nothing when it is full', () => {
    const configuration = 'provisioned Aurora MySQL';
    const [shared] = groupsOf(configuration);

    expect(evictionPolicies(configuration)).toEqual({ 'Sessions and application cache': 'noeviction' });
    expect(shared?.Properties).toMatchObject({ Engine: 'redis', EngineVersion: '7.1' });
    const { resources } = synthesised(configuration);
    const into = resources.filter(
      ({ Type, Properties }) =>
        Type === 'AWS::EC2::SecurityGroupIngress' && JSON.stringify(Properties.GroupId).includes('StoresShared'),
    );
    expect(into).toHaveLength(1);
    const [task] = resources.filter(({ Type }) => Type === 'AWS::ECS::TaskDefinition');
    const { Environment } = task?.Properties.ContainerDefinitions[0] ?? {};
    const of = (name: string) =>
      (Environment as { Name: string; Value: unknown }[]).find(({ Name }) => Name === name)?.Value;
    expect(of('MOODLE_SESSION_STORE_ENDPOINT')).toEqual(of('MOODLE_APPLICATION_STORE_ENDPOINT'));
  });
});

describe('serverless stores', () => {
  const configuration = 'MariaDB with a standby';
  const ofType = (type: string) => synthesised(configuration).resources.filter(({ Type }) => Type === type);

  it('ask for a password of their own, of the user that is taken where none is named, who may not touch the server', () => {
    const users = ofType('AWS::ElastiCache::User');
    const passwords = users.map(({ Properties }) => JSON.stringify(Properties.AuthenticationMode.Passwords));

    expect(groupsOf(configuration)).toEqual([]);
    expect(ofType('AWS::ElastiCache::ServerlessCache')).toHaveLength(2);
    expect(new Set(passwords).size).toBe(2);
    for (const { Properties } of users) {
      expect(Properties.UserName).toBe('default');
      expect(Properties.AccessString).toContain('-@admin -@dangerous');
      expect(JSON.stringify(Properties.AuthenticationMode)).toContain('{{resolve:secretsmanager:');
    }
    for (const { Properties } of ofType('AWS::ElastiCache::ServerlessCache')) {
      expect(ofType('AWS::ElastiCache::UserGroup').map(({ id }) => id)).toContain(Properties.UserGroupId.Ref);
    }
  });

  it('are known to the nodes as clusters', () => {
    const [task] = ofType('AWS::ECS::TaskDefinition');
    const { Environment } = task?.Properties.ContainerDefinitions[0] ?? {};

    for (const use of ['SESSION', 'APPLICATION']) {
      expect(Environment).toContainEqual({ Name: `MOODLE_${use}_STORE_TOPOLOGY`, Value: 'cluster' });
    }
  });

  it('have names that ElastiCache takes', () => {
    for (const [type, name] of [
      ['User', 'UserId'],
      ['UserGroup', 'UserGroupId'],
      ['ServerlessCache', 'ServerlessCacheName'],
    ]) {
      for (const { Properties } of ofType(`AWS::ElastiCache::${type}`)) {
        expect(Properties[name ?? '']).toMatch(/^(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      }
    }
  });
});

describe('Memcached for the application cache', () => {
  it('needs the plugin in the image', () => {
    expect(memcachedNeedsItsPlugin({ applicationStore: 'memcached' }, ['mod_checklist'])).toMatch(
      /cachestore_memcached left Moodle with 4\.2/,
    );
    expect(memcachedNeedsItsPlugin({ applicationStore: 'memcached' }, ['cachestore_memcached'])).toBeUndefined();
    expect(memcachedNeedsItsPlugin({ applicationStore: 'redis' }, [])).toBeUndefined();
  });
});
