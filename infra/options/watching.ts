import type { Contradiction } from './contradiction.ts';
import { oneOf, oneOfNumbers, optionalText, yesNo } from './option-kinds.ts';

/** Who is told, and what is kept to look at. */
export const watchingOptions = {
  notificationEmail: optionalText(
    /^[^\s@,"']+@[^\s@,"']+\.[a-z]{2,63}$/i,
    'an e-mail address',
    'Who is told when a rollout fails or an alarm goes off; the address confirms its subscription once.',
  ),
  // The values that CloudWatch Logs accepts, without those below a day or beyond two years.
  logRetentionDays: oneOfNumbers([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], {
    doc: 'How many days logs are kept.',
    dev: 14,
    prod: 90,
  }),
  encryptLogs: yesNo({
    doc: "Whether logs are encrypted with the site's own key; otherwise with one of CloudWatch Logs.",
    dev: false,
    prod: true,
  }),
  containerInsights: oneOf(['off', 'on', 'enhanced'], {
    doc: 'Whether ECS measures its services and tasks, or, enhanced, each container too; CloudWatch charges for each metric.',
    dev: 'off',
    prod: 'on',
  }),
  accessLogs: yesNo({
    doc: 'Whether the load balancer, and CloudFront where there is one, write a line for each request to a bucket.',
    dev: false,
    prod: true,
  }),
  cloudTrail: yesNo({
    doc: 'Whether a trail of its own records who changed what; the first of an account costs nothing, a second does.',
    dev: false,
    prod: false,
  }),
} as const;

export const watchingContradictions: readonly Contradiction[] = [];
