import { vi } from 'vitest';

/**
 * Waits until a check holds. It is patient, as the computer may be busy: what is tested is that it comes, not how soon.
 *
 * @returns what the check gives
 * @throws what the check threw last, before the test's own limit would end it without a reason
 */
export function eventually<Value>(check: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(check, { timeout: 50_000, interval: 50 });
}
