import { afterAll } from 'vitest';

const before = { ...process.env };

/** Files run one after the other in one process: what one does to the environment is not for the next. */
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});
