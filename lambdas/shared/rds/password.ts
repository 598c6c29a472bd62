import {
  AddTagsToResourceCommand,
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { DatabaseNotRestored } from '../errors.ts';
import type { CurrentLogin } from '../secrets.ts';
import { arnOf, type FoundDatabase, tagListOf } from './databases.ts';
import { tagNames, tagsOf, tagValues } from './names.ts';

/** Reads the login that the site's secret has now, anew at every call: a rotation may come at any moment. */
export type ReadLogin = () => Promise<CurrentLogin>;

/**
 * Gives a restored database the password that the site's secret has now. A restore brings back the password of its
 * moment too, and where a rotation came after that, nothing that reads the secret could log in. RDS never tells a
 * password, so that a tag says which version of the secret was set last.
 *
 * @returns what is under way, in plain words; undefined when the password is the secret's
 * @throws DatabaseNotRestored for a password that RDS does not take
 */
export async function assurePassword(
  rds: RDSClient,
  found: FoundDatabase,
  readLogin: ReadLogin,
): Promise<string | undefined> {
  const underWay = 'the restored database is given the password that the secret has now';
  if (pendingPassword(found) !== undefined) return underWay;
  const { username, password, version } = await readLogin();
  // RDS sets that of its master user alone, who is Moodle's as well.
  if (username !== masterOf(found)) return undefined;
  if (tagValues(tagListOf(found))[tagNames.passwordVersion] === version) return undefined;
  await setPassword(rds, found, password);
  // After the change, not before: a kill between the two sets it once more.
  await rds.send(
    new AddTagsToResourceCommand({
      ResourceName: arnOf(found),
      Tags: tagsOf({ [tagNames.passwordVersion]: version }),
    }),
  );
  return underWay;
}

async function setPassword(rds: RDSClient, found: FoundDatabase, MasterUserPassword: string): Promise<void> {
  const change = { MasterUserPassword, ApplyImmediately: true };
  try {
    await (found.kind === 'cluster'
      ? rds.send(new ModifyDBClusterCommand({ ...change, DBClusterIdentifier: found.cluster.DBClusterIdentifier }))
      : rds.send(
          new ModifyDBInstanceCommand({ ...change, DBInstanceIdentifier: found.instance.DBInstanceIdentifier }),
        ));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'InvalidParameterValue') throw error;
    // Without RDS's own words, which might quote it.
    throw new DatabaseNotRestored(
      'RDS does not take the password that the secret has now for the restored database: it wants 8 to 41 printable ASCII ' +
        'characters without space, /, @ and ". Everything else is restored, and nothing was removed. Give the secret and the ' +
        'site’s database another password, and start a plugin update, which goes on putting back.',
    );
  }
}

const pendingPassword = (found: FoundDatabase) =>
  (found.kind === 'cluster' ? found.cluster : found.instance).PendingModifiedValues?.MasterUserPassword;

const masterOf = (found: FoundDatabase) => (found.kind === 'cluster' ? found.cluster : found.instance).MasterUsername;
