import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCertificates } from '../../rehearsal/machines/certificates.ts';
import { State } from '../../rehearsal/state.ts';
import type { World } from '../../rehearsal/world.ts';

/** A world without an endpoint, for the parts that stand behind the make-believe account. */
export async function makeWorld(changes: Partial<World> = {}): Promise<World & { close(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'machines-'));
  const { certificateAuthorityFile } = await prepareCertificates(directory);
  const closing: (() => Promise<void> | void)[] = [];
  const pace = changes.pace ?? 100;
  return {
    account: '111122223333',
    region: 'eu-central-1',
    partition: 'aws',
    directory,
    cloudAssembly: join(directory, 'cdk.out'),
    endpoint: 'http://127.0.0.1:9',
    pace,
    moodle: { kind: 'stand-in' },
    state: new State(join(directory, 'state')),
    certificateAuthorityFile,
    scaled: (seconds) => (seconds * 1_000) / pace,
    onClose: (work) => closing.push(work),
    ...changes,
    close: async () => {
      for (const work of closing.reverse()) await work();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
