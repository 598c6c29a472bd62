import type { World } from '../world.ts';

/**
 * A folder keeps the site of one Moodle: another one over its database would be an upgrade, or ruin it.
 *
 * @throws Error that names both
 */
export function requireSameMoodle(world: Pick<World, 'state' | 'moodle' | 'directory'>): void {
  const kept = world.state.collection<string>('rehearsal');
  const asked = world.moodle.kind === 'stand-in' ? 'the stand-in' : `Moodle ${world.moodle.release}`;
  const before = kept.get('moodle');
  if (before !== undefined && before !== asked) {
    throw new Error(
      `${world.directory} holds a site of ${before}, and this rehearsal is to run ${asked}. Nothing was started. Choose another folder with --data, or the same Moodle with --moodle.`,
    );
  }
  kept.set('moodle', asked);
}
