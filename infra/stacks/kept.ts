import { CfnDeletionPolicy, CfnResource, type Stack } from 'aws-cdk-lib';

/**
 * What stays in the account when the stack is destroyed, by the resources' own deletion policies, so that nothing can be
 * kept unsaid; `undefined` when nothing does.
 */
export function keptWhenDestroyed(stack: Stack): string | undefined {
  const kept = stack.node
    .findAll()
    .filter((construct) => CfnResource.isCfnResource(construct))
    .flatMap(({ cfnOptions, cfnResourceType, ref }) => {
      const kind = cfnResourceType.split('::').slice(1).join(' ');
      switch (cfnOptions.deletionPolicy) {
        case CfnDeletionPolicy.RETAIN:
        case CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE:
          return [`${kind} ${ref}`];
        case CfnDeletionPolicy.SNAPSHOT:
          return [`a final snapshot of ${kind} ${ref}`];
        default:
          return [];
      }
    });
  return kept.length === 0 ? undefined : kept.join(', ');
}
