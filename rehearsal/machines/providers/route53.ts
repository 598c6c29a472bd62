import type { ResourceProvider } from '../../template/provider.ts';
import { namesOf } from '../names.ts';

const record: ResourceProvider = {
  type: 'AWS::Route53::RecordSet',
  properties: ['AliasTarget', 'HostedZoneId', 'Name', 'Type'],
  create({ properties: { AliasTarget, Name, Type } }, world) {
    if (AliasTarget === undefined || !/^A(AAA)?$/.test(Type)) {
      throw new Error(`the rehearsal knows aliases for addresses, not ${Type}.`);
    }
    namesOf(world).lead(Name, AliasTarget.DNSName);
    return { ref: Name, attributes: {} };
  },
};

export const route53Providers: readonly ResourceProvider[] = [record];
