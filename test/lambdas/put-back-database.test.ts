import type { RDSClient } from '@aws-sdk/client-rds';
import { beforeEach, describe, expect, it } from 'vitest';
import { Wait } from '../../lambdas/shared/errors.ts';
import { endLeftExchange } from '../../lambdas/shared/rds/left-exchange.ts';
import { namesOf, tagNames, tagValues } from '../../lambdas/shared/rds/names.ts';
import { type PointToRestore, putBackDatabase } from '../../lambdas/shared/rds/put-back-database.ts';
import { listRemovable, removeDatabase } from '../../lambdas/shared/rds/remove.ts';
import { type Settings, settingsFrom } from '../../lambdas/shared/settings.ts';
import { FakeRds } from './fake-rds.ts';

const update = { site: 'campus', execution: 'arn:aws:states:eu-central-1:111122223333:execution:plugin-update:first' };
const names = namesOf(update);
const at = new Date(Date.now() - 60_000);
/** What the site's secret has; a test rotates it. */
let login = { username: 'moodle', password: 'current-1', version: 'version-1' };
const readLogin = async () => login;
const point: PointToRestore = { at, snapshot: 'the-snapshot', keepDays: 14, readLogin };
beforeEach(() => {
  login = { username: 'moodle', password: 'current-1', version: 'version-1' };
});

const settingsOf = (kind: 'cluster' | 'instance'): Settings =>
  settingsFrom({
    SITE: 'campus',
    DATABASE_IDENTIFIER: 'campus-database',
    DATABASE_ENGINE: kind === 'cluster' ? 'aurora-postgresql' : 'mariadb',
  });

/** A client whose changing call of this number is answered to nobody, as after a kill; 0: none. */
function clientOf(rds: FakeRds, killedAt = 0) {
  const calls: { name: string; input: Record<string, unknown> }[] = [];
  let struck: () => void = () => undefined;
  const kill = new Promise<void>((resolve) => {
    struck = resolve;
  });
  const client = {
    send: async (command: { input: never; constructor: { name: string } }) => {
      const name = command.constructor.name.replace(/Command$/, '');
      const answer = structuredClone(rds.operations[name]?.(command.input) ?? fail(name));
      if (name.startsWith('Describe')) return answer;
      calls.push({ name, input: command.input });
      if (calls.length !== killedAt) return answer;
      struck();
      return new Promise(() => undefined);
    },
  };
  return { client: client as unknown as RDSClient, calls, kill };
}

function fail(name: string): never {
  throw new Error(`RDS does not know ${name}.`);
}

async function untilDone<Result>(rds: FakeRds, work: () => Promise<Result>, waits: string[] = []): Promise<Result> {
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Wait)) throw error;
      waits.push(error.message);
      await rds.settle();
    }
  }
  throw new Error(`Not done: ${waits.at(-1)}`);
}

/** All that a finished exchange is there to bring about. */
function pictureOf(rds: FakeRds) {
  const tags = (list?: { Key?: string | undefined; Value?: string | undefined }[]) =>
    (list ?? []).map(({ Key, Value }) => `${Key}=${Value}`).sort();
  return {
    clusters: [...rds.clusters].map(([name, cluster]) => [
      name,
      cluster.Status,
      cluster.HttpEndpointEnabled,
      (cluster.DBClusterMembers ?? []).map((member) => [member.DBInstanceIdentifier, member.IsClusterWriter]).sort(),
      tags(cluster.TagList),
    ]),
    instances: [...rds.instances].map(([name, one]) => [name, one.DBInstanceStatus, one.DBClusterIdentifier]).sort(),
  };
}

describe.each(['cluster', 'instance'] as const)('putBackDatabase, %s', (kind) => {
  const settings = settingsOf(kind);
  const own = (rds: FakeRds) =>
    kind === 'cluster' ? rds.clusters.get('campus-database') : rds.instances.get('campus-database');

  it('restores to the instant beside the site’s own, and gives the copy its name, network and tags', async () => {
    const rds = new FakeRds(kind);
    const { client, calls } = clientOf(rds);
    const waits: string[] = [];
    const done = await untilDone(rds, () => putBackDatabase(client, settings, update, point), waits);

    expect(done).toEqual({ restoredTo: at.toISOString(), kept: names.before });
    const restore = calls[0]?.input;
    expect(calls[0]?.name).toBe(
      kind === 'cluster' ? 'RestoreDBClusterToPointInTime' : 'RestoreDBInstanceToPointInTime',
    );
    expect(restore).toMatchObject(
      kind === 'cluster'
        ? {
            RestoreType: 'full-copy',
            RestoreToTime: at,
            VpcSecurityGroupIds: ['sg-database'],
            DBSubnetGroupName: 'subnets',
          }
        : { RestoreTime: at },
    );
    expect(tagValues(own(rds)?.TagList)).toMatchObject({ [tagNames.restoredTo]: at.toISOString() });
    expect(own(rds)?.TagList?.some(({ Key = '' }) => Key.startsWith('aws:'))).toBe(false);
    expect(waits[0]).toContain(`RDS restores it to ${at.toISOString()} beside`);
    expect(waits.at(-1)).toContain('takes the name campus-database');
    expect(rds.passwords.get(own(rds) ?? {})).toBe('current-1');
    // The one that it replaced is kept, and says whose it is and until when.
    const before = kind === 'cluster' ? rds.clusters.get(names.before) : rds.instances.get(names.before);
    expect(tagValues(before?.TagList)).toMatchObject({
      [tagNames.site]: 'campus',
      [tagNames.keptUntil]: expect.any(String),
    });
    if (kind === 'cluster') {
      expect(pictureOf(rds).instances).toEqual([
        ['campus-reader', 'available', 'campus-database'],
        ['campus-writer', 'available', 'campus-database'],
        [`${names.before}-1`, 'available', names.before],
        [`${names.before}-2`, 'available', names.before],
      ]);
      expect(rds.clusters.get('campus-database')).toMatchObject({ HttpEndpointEnabled: true });
      const writer = rds.clusters
        .get('campus-database')
        ?.DBClusterMembers?.find(({ IsClusterWriter }) => IsClusterWriter);
      expect(writer?.DBInstanceIdentifier).toBe('campus-writer');
    }
  });

  it('ends in the same state wherever it is killed, and run again', async () => {
    const whole = new FakeRds(kind);
    const { client, calls } = clientOf(whole);
    await untilDone(whole, () => putBackDatabase(client, settings, update, point));
    expect(calls.length).toBeGreaterThan(2);
    for (let at = 1; at <= calls.length; at++) {
      const rds = new FakeRds(kind);
      const first = clientOf(rds, at);
      const second = clientOf(rds);
      let killed = false;
      void first.kill.then(() => {
        killed = true;
      });
      await untilDone(rds, async () => {
        if (!killed) await Promise.race([putBackDatabase(first.client, settings, update, point), first.kill]);
        if (killed) await putBackDatabase(second.client, settings, update, point);
      });
      expect(pictureOf(rds), `killed after call ${at}, ${calls[at - 1]?.name}`).toEqual(pictureOf(whole));
    }
  });

  it('waits for backups that will reach the instant, and takes the snapshot where they will not', async () => {
    const rds = new FakeRds(kind);
    rds.backupLag = 240;
    const { client, calls } = clientOf(rds);
    const now: PointToRestore = { ...point, at: new Date(Date.now() - 30_000) };
    await expect(putBackDatabase(client, settings, update, now)).rejects.toMatchObject({
      name: 'DatabaseStillBeingRestored',
      message: expect.stringMatching(/its backups reach to .*, and have to reach/),
    });
    expect(calls).toEqual([]);
    const past: PointToRestore = { ...point, at: new Date(Date.now() - 3_600_000) };
    rds.backupLag = 7_200;
    await expect(putBackDatabase(client, settings, update, past)).rejects.toMatchObject({
      message: expect.stringContaining('RDS restores it to the-snapshot'),
    });
    expect(calls[0]?.name).toBe(
      kind === 'cluster' ? 'RestoreDBClusterFromSnapshot' : 'RestoreDBInstanceFromDBSnapshot',
    );
    const none = new FakeRds(kind);
    none.backupLag = 7_200;
    const nothing = putBackDatabase(clientOf(none).client, settings, update, { ...past, snapshot: undefined });
    await expect(nothing).rejects.toMatchObject({ name: 'DatabaseNotRestored' });
  });

  it('gives up when RDS does, and leaves the site’s own database alone', async () => {
    const rds = new FakeRds(kind);
    const { client } = clientOf(rds);
    const work = () => putBackDatabase(client, settings, update, point);
    await expect(work()).rejects.toMatchObject({ name: 'DatabaseStillBeingRestored' });
    const copy = kind === 'cluster' ? rds.clusters.get(names.restored) : rds.instances.get(names.restored);
    for (const status of ['failed', 'restore-error', 'cloning-failed', 'incompatible-restore']) {
      Object.assign(copy ?? {}, { Status: status, DBInstanceStatus: status });
      await expect(work()).rejects.toMatchObject({
        name: 'DatabaseNotRestored',
        message: expect.stringContaining(`${names.restored} is ${status}. The site’s own is untouched`),
      });
    }
  });

  it('is ended by another rollout when it was stopped while no database had the site’s name', async () => {
    const rds = new FakeRds(kind);
    const { client } = clientOf(rds);
    for (let attempt = 0; own(rds) && attempt < 20; attempt++) {
      await putBackDatabase(client, settings, update, point).catch(() => undefined);
      await rds.settle();
    }
    expect(own(rds)).toBeUndefined();
    await untilDone(rds, () => endLeftExchange(client, settings, readLogin));
    expect(tagValues(own(rds)?.TagList)).toHaveProperty([tagNames.restoredTo]);
    expect(tagValues(own(rds)?.TagList)).toHaveProperty([tagNames.inPlaceSince]);
    await endLeftExchange(client, settings, readLogin);
  });

  const rotate = () => {
    login = { username: 'moodle', password: 'current-2', version: 'version-2' };
  };

  it('gives the copy the password that the secret has at the end, whenever that was rotated', async () => {
    const whole: string[] = [];
    const counted = new FakeRds(kind);
    await untilDone(counted, () => putBackDatabase(clientOf(counted).client, settings, update, point), whole);
    expect(whole.some((words) => words.includes('password that the secret has now'))).toBe(true);
    for (let at = 0; at <= whole.length; at++) {
      login = { ...login, password: 'current-1', version: 'version-1' };
      const rds = new FakeRds(kind);
      const { client } = clientOf(rds);
      let calls = 0;
      await untilDone(rds, async () => {
        if (calls++ === at) rotate();
        return putBackDatabase(client, settings, update, point);
      });
      expect(rds.passwords.get(own(rds) ?? {}), `rotated before call ${at}`).toBe(`current-${at < calls ? 2 : 1}`);
    }
  });

  it('gives it a password that was rotated while the names were exchanged, before anybody asks it anything', async () => {
    const rds = new FakeRds(kind);
    const { client, calls } = clientOf(rds);
    for (let attempt = 0; own(rds) && attempt < 20; attempt++) {
      await putBackDatabase(client, settings, update, point).catch(() => undefined);
      await rds.settle();
    }
    await putBackDatabase(client, settings, update, point).catch(() => undefined);
    await rds.settle();
    rotate();
    await untilDone(rds, () => endLeftExchange(client, settings, readLogin));
    expect(rds.passwords.get(own(rds) ?? {})).toBe('current-2');
    // Later rotations are those of a site as any other.
    login = { ...login, password: 'current-3', version: 'version-3' };
    const before = calls.length;
    await endLeftExchange(client, settings, readLogin);
    expect(calls).toHaveLength(before);
  });

  it('leaves the password alone where the secret is not that of the master user', async () => {
    login = { ...login, username: 'somebody' };
    const rds = new FakeRds(kind);
    await untilDone(rds, () => putBackDatabase(clientOf(rds).client, settings, update, point));
    expect(rds.passwords.size).toBe(0);
    expect(tagValues(own(rds)?.TagList)).toHaveProperty([tagNames.inPlaceSince]);
  });

  it('says what to do about a password that RDS does not take, without saying it', async () => {
    const rds = new FakeRds(kind);
    const refuse = () => {
      throw Object.assign(new Error(`${login.password} is not valid`), { name: 'InvalidParameterValue' });
    };
    const { ModifyDBCluster, ModifyDBInstance } = rds.operations;
    rds.operations.ModifyDBCluster = (input: { MasterUserPassword?: string }) =>
      input.MasterUserPassword ? refuse() : (ModifyDBCluster?.(input as never) ?? {});
    rds.operations.ModifyDBInstance = (input: { MasterUserPassword?: string }) =>
      input.MasterUserPassword ? refuse() : (ModifyDBInstance?.(input as never) ?? {});
    const error = await untilDone(rds, () => putBackDatabase(clientOf(rds).client, settings, update, point)).catch(
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ name: 'DatabaseNotRestored', message: expect.stringContaining('8 to 41 printable') });
    expect(String(error)).not.toContain(login.password);
    expect(own(rds)).toBeDefined();
  });

  it('is waited for while the site’s own gets another name, so that nobody asks it anything', async () => {
    const rds = new FakeRds(kind);
    const { client } = clientOf(rds);
    await endLeftExchange(client, settings, readLogin);
    Object.assign(own(rds) ?? {}, { Status: 'renaming', DBInstanceStatus: 'renaming' });
    await expect(endLeftExchange(client, settings, readLogin)).rejects.toMatchObject({
      name: 'DatabaseStillBeingRestored',
      message: expect.stringContaining('campus-database gets another name'),
    });
  });
});

describe('removing replaced databases', () => {
  it.each(['cluster', 'instance'] as const)(
    'of a %s removes those of the site that are past their day, and nothing else',
    async (kind) => {
      const rds = new FakeRds(kind);
      const settings = settingsOf(kind);
      const { client } = clientOf(rds);
      await untilDone(rds, () => putBackDatabase(client, settings, update, { ...point, keepDays: -1 }));
      // Somebody else's, with the same tags but one.
      const all = kind === 'cluster' ? rds.clusters : rds.instances;
      const before = all.get(names.before);
      const tags = (site: string, day: string) => [
        { Key: tagNames.site, Value: site },
        { Key: tagNames.keptUntil, Value: day },
      ];
      const members = kind === 'cluster' ? { Status: 'available' } : { DBInstanceStatus: 'available' };
      const copy = (name: string, TagList: object[]) =>
        all.set(name, {
          ...members,
          ...(kind === 'cluster' ? { DBClusterIdentifier: name } : { DBInstanceIdentifier: name }),
          TagList,
        } as never);
      copy('of-another-site', tags('other', '2020-01-01'));
      copy('kept-longer', tags('campus', '2999-01-01'));
      copy('untagged', []);
      // Also the live one: should it ever carry such tags, it stays.
      all.get('campus-database')?.TagList?.push(...tags('campus', '2020-01-01'));

      const removable = await listRemovable(client, settings);
      expect(removable).toHaveLength(1);
      for (const found of removable) await removeDatabase(client, found);
      await rds.settle();
      expect(before).toBeDefined();
      expect([...all.keys()].filter((name) => !name.startsWith('campus-')).sort()).toEqual([
        'kept-longer',
        'of-another-site',
        'untagged',
      ]);
      expect(all.has('campus-database')).toBe(true);
    },
  );
});

describe('putBackDatabase, of a cluster’s instances', () => {
  const settings = settingsOf('cluster');

  it('gives up when RDS gives up an instance of the copy', async () => {
    const rds = new FakeRds('cluster');
    const { client } = clientOf(rds);
    const work = () => putBackDatabase(client, settings, update, point);
    for (let attempt = 0; !rds.instances.has(`${names.restored}-2`) && attempt < 20; attempt++) {
      await work().catch(() => undefined);
      await rds.settle();
    }
    Object.assign(rds.instances.get(`${names.restored}-2`) ?? {}, { DBInstanceStatus: 'insufficient-capacity' });
    await expect(work()).rejects.toMatchObject({
      name: 'DatabaseNotRestored',
      message: expect.stringContaining(`${names.restored}-2 is insufficient-capacity. The site’s own is untouched`),
    });
  });

  it('makes no instance anew for one that is on its way between two names', async () => {
    const rds = new FakeRds('cluster');
    const { client, calls } = clientOf(rds);
    const work = () => putBackDatabase(client, settings, update, point);
    const members = () => rds.clusters.get(names.restored)?.DBClusterMembers ?? [];
    for (let attempt = 0; !rds.instances.has(`${names.before}-1`) && attempt < 20; attempt++) {
      await work().catch(() => undefined);
      await rds.settle();
    }
    const made = calls.filter(({ name }) => name === 'CreateDBInstance').length;
    const hidden = members().splice(0, 1);
    await expect(work()).rejects.toMatchObject({ message: expect.stringContaining('is being renamed') });
    members().unshift(...hidden);
    await untilDone(rds, work);
    expect(calls.filter(({ name }) => name === 'CreateDBInstance')).toHaveLength(made);
  });
});
