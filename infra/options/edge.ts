import type { Contradiction } from './contradiction.ts';
import { optionalText, yesNo } from './option-kinds.ts';

/** How visitors reach the site. */
export const edgeOptions = {
  domainName: optionalText(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    'a host name in lower case, for example moodle.example.org',
    'The name that the site is reached under; your DNS points it at the load balancer.',
  ),
  certificateArn: optionalText(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
    'the ARN of an ACM certificate in the region of the site',
    'The certificate of domainName; with it the site is served over HTTPS alone.',
  ),
  allowHttp: yesNo({
    doc: 'Whether the site may be served without HTTPS when it has no certificate.',
    dev: true,
    prod: false,
  }),
} as const;

export const edgeContradictions: readonly Contradiction[] = [
  ({ certificateArn, domainName }) =>
    certificateArn !== undefined && domainName === undefined
      ? 'Option certificateArn needs domainName: the name that the certificate is for.'
      : undefined,
  ({ certificateArn, region }) =>
    certificateArn !== undefined && certificateArn.split(':')[3] !== region
      ? `Option certificateArn cannot be "${certificateArn}" with region=${region}. ` +
        `Allowed: ${edgeOptions.certificateArn.allowed}.`
      : undefined,
  ({ certificateArn, allowHttp }) =>
    certificateArn === undefined && !allowHttp
      ? 'Without certificateArn the site would be served over HTTP, in the open. ' +
        'Give -c domainName=… -c certificateArn=…, or allow it with -c allowHttp=true.'
      : undefined,
];
