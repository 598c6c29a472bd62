import { arn } from '../../world.ts';
import { stableLetters } from '../physical-name.ts';
import type { PassiveType } from './passive-type.ts';

/**
 * What stands far from here: certificates (whoever asks for a name gets one of the rehearsal's own authority), firewalls
 * (no request here is an attack), what CloudFront caches and adds (here it passes everything on).
 */
export const edgeTypes: readonly PassiveType[] = [
  {
    type: 'AWS::CertificateManager::Certificate',
    properties: [
      'CertificateTransparencyLoggingPreference',
      'DomainName',
      'DomainValidationOptions',
      'SubjectAlternativeNames',
      'Tags',
      'ValidationMethod',
    ],
    ref: (resource, world) =>
      arn(world, 'acm', `certificate/${stableLetters(world, `${resource.stackName}/${resource.logicalId}`, 32)}`),
  },
  {
    type: 'AWS::WAFv2::WebACL',
    properties: ['DefaultAction', 'Description', 'Name', 'Rules', 'Scope', 'Tags', 'VisibilityConfig'],
    attributes: ({ properties }, world, ref) => ({
      Id: ref,
      Arn: arn(world, 'wafv2', `${properties.Scope === 'CLOUDFRONT' ? 'global' : 'regional'}/webacl/${ref}/${ref}`),
    }),
  },
  { type: 'AWS::WAFv2::WebACLAssociation', properties: ['ResourceArn', 'WebACLArn'] },
  {
    type: 'AWS::WAFv2::LoggingConfiguration',
    properties: ['LogDestinationConfigs', 'LoggingFilter', 'RedactedFields', 'ResourceArn'],
  },
  {
    type: 'AWS::CloudFront::CachePolicy',
    properties: ['CachePolicyConfig'],
    attributes: (_r, _w, ref) => ({ Id: ref }),
  },
  {
    type: 'AWS::CloudFront::ResponseHeadersPolicy',
    properties: ['ResponseHeadersPolicyConfig'],
    attributes: (_resource, _world, ref) => ({ Id: ref }),
  },
];
