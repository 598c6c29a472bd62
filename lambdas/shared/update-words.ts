/** Purpose of the replacement that brings the new image: asked for by *Upgrade*, awaited by *Roll nodes*. */
export const rollPurpose = 'roll nodes';

/**
 * Purposes of the way back of an update: one execution may put back the update that another left, and then its own.
 *
 * @param origin the execution that began the update
 */
export function wayBackPurposes(origin: string) {
  const update = origin.split(':').at(-1);
  return {
    nodes: `put back ${update}: nodes`,
    beginMaintenance: `put back ${update}: begin maintenance`,
    endMaintenance: `put back ${update}: end maintenance`,
    purgeCaches: `put back ${update}: purge caches`,
  } as const;
}

/** `startedBy` of the tasks that change the database, by which the way back finds and stops them. */
export const upgradeTasks = 'moodle-lifecycle/upgrade';
