import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { executionLink } from './shared/console-link.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { changeInWords, type UpdatePhaseInput, type UpdatePlan } from './shared/update-plan.ts';

export interface RequestApprovalClients {
  readonly database: MoodleDatabase;
  readonly sns: SNSClient;
  readonly settings: Settings;
}

/**
 * Tells the operator that the rollout waits for a person. The token stays in the execution's history, where every view
 * finds it: whoever may read that may not thereby approve, for answering is a permission of its own.
 *
 * @throws HoldLost
 */
export async function requestApproval(
  { database, sns, settings }: RequestApprovalClients,
  { site, execution, plan }: UpdatePhaseInput,
): Promise<{ told: string }> {
  await assertHeld(database, { site, execution });
  await sns.send(
    new PublishCommand({
      TopicArn: settings.notificationTopicArn,
      Subject: `Moodle site ${site}: plugin update waits for approval`,
      Message: approvalMessage({ site, execution, plan }, new Date()),
    }),
  );
  return { told: settings.notificationTopicArn };
}

export function approvalMessage({ site, execution, plan }: UpdatePhaseInput, since: Date): string {
  const expires = new Date(since.getTime() + plan.approvalSeconds * 1000);
  return [
    `A plugin update of ${site} is built and waits for a person.`,
    '',
    ...planInLines(plan),
    '',
    `Until ${expires.toISOString()}. If nobody answers, the rollout ends then, and the site stays as it is.`,
    '',
    `Approve: npx lifecycle approve ${execution}`,
    `Refuse:  npx lifecycle refuse ${execution}`,
    `Look:    ${executionLink(execution)}`,
  ].join('\n');
}

function planInLines({ changes, leftOut, deleteData, maintenanceWindow, image }: UpdatePlan): string[] {
  return [
    ...changes.map((change) => `  ${changeInWords(change)} [${change.risk}]`),
    ...deleteData.map((component) => `  data of ${component} is DELETED for good`),
    ...leftOut.map(({ component, why }) => `  left out: ${component}, ${why}`),
    `  image ${image}`,
    ...(maintenanceWindow
      ? [
          `  maintenance, if Moodle needs it, from ${maintenanceWindow.start} to ${maintenanceWindow.end} ${maintenanceWindow.timeZone}`,
        ]
      : []),
  ];
}

export const handler = makeHandler(
  'Wait for approval',
  (): RequestApprovalClients => {
    const settings = settingsFrom();
    return { settings, database: openDatabase(settings), sns: new SNSClient({}) };
  },
  requestApproval,
);
