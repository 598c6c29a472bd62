import type { Contradiction } from './contradiction.ts';
import { oneOfNumbers, optionalText } from './option-kinds.ts';

/** Who is told, and what is kept to look at. */
export const watchingOptions = {
  notificationEmail: optionalText(
    /^[^\s@,"']+@[^\s@,"']+\.[a-z]{2,63}$/i,
    'an e-mail address',
    'Who is told when a rollout fails; the address confirms its subscription once.',
  ),
  // The values that CloudWatch Logs accepts, without those below a day or beyond two years.
  logRetentionDays: oneOfNumbers([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], {
    doc: 'How many days logs are kept.',
    dev: 14,
    prod: 90,
  }),
} as const;

export const watchingContradictions: readonly Contradiction[] = [];
