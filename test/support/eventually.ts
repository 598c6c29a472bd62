import { vi } from 'vitest';
import { patience } from './patience.ts';

/**
 * Waits until a check holds.
 *
 * @returns what the check gives
 * @throws what the check threw last
 */
export function eventually<Value>(check: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(check, patience);
}
