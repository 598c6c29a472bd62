/**
 * How long tests wait for a condition: the computer may be busy, and what is tested is that it comes, not how soon. Short
 * of a test's own limit, which would end it without a reason.
 */
export const patience = { timeout: 50_000, interval: 50 } as const;
