import { type Account, openAccount } from '../../../rehearsal/account.ts';
import type { Service } from '../../../rehearsal/endpoint/service.ts';
import type { ResourceProvider } from '../../../rehearsal/template/provider.ts';
import type { World } from '../../../rehearsal/world.ts';
import { temporaryFolder } from './assembly.ts';

export interface TestAccountOptions {
  readonly directory?: string;
  readonly pace?: number;
  readonly providers?: readonly ResourceProvider[];
  readonly services?: (world: World) => readonly Service[];
}

/** Deploys a cloud assembly to an account without machines. */
export async function deploy(cdkOut: string, options: TestAccountOptions = {}): Promise<Account> {
  const account = await openAccount({
    directory: options.directory ?? temporaryFolder(),
    cdkOut,
    pace: options.pace ?? 100,
    moodle: { kind: 'stand-in' },
    providers: options.providers ?? [],
    services: options.services ?? (() => []),
  });
  try {
    await account.start();
  } catch (error) {
    await account.close();
    throw error;
  }
  return account;
}
