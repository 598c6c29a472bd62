/** Purpose of the replacement that brings the new image: asked for by *Upgrade*, awaited by *Roll nodes*. */
export const rollPurpose = 'roll nodes';

/** `startedBy` of the tasks that change the database, by which the way back finds and stops them. */
export const upgradeTasks = 'moodle-lifecycle/upgrade';
