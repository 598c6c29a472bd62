import type { Service } from '../endpoint/service.ts';
import { findRole } from '../iam/roles.ts';
import type { World } from '../world.ts';

/** STS: who am I. */
export function stsService(world: World): Service {
  return {
    signingName: 'sts',
    protocol: 'query',
    xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: {
      GetCallerIdentity: {
        members: [],
        // Needs no permission, on AWS neither.
        permissions: () => [],
        run(_input, { principal }) {
          if (principal.kind === 'operator') {
            const user = `arn:${world.partition}:iam::${world.account}:user/operator`;
            return { Arn: user, UserId: 'AIDAREHEARSAL', Account: world.account };
          }
          const { roleName } = findRole(world, principal.roleArn);
          const session = principal.sessionName ?? 'rehearsal';
          return {
            Arn: `arn:${world.partition}:sts::${world.account}:assumed-role/${roleName}/${session}`,
            UserId: `AROAREHEARSAL:${session}`,
            Account: world.account,
          };
        },
      },
    },
  };
}
