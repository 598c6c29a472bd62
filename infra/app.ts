import { parseArgs } from 'node:util';
import { ConfigError } from './config.ts';
import { describeCost } from './cost/estimate.ts';
import { bundleFunctions } from './function-bundles.ts';
import { MoodleApp } from './moodle-app.ts';
import { describeRelease } from './moodle-requirements.ts';

try {
  const outdir = process.env.CDK_OUTDIR ?? 'cdk.out';
  const app = new MoodleApp({ outdir, context: contextFromCommandLine() }, bundleFunctions);
  app.synth();
  // The CLI reads the assembly, and shows what the app writes here.
  for (const words of [describeCost(app.config), describeRelease(app.config)])
    if (words) process.stderr.write(`${words}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** `-c name=value`, for runs without the CLI, which passes context by environment. */
function contextFromCommandLine(): Record<string, string> {
  const { values } = parseArgs({ options: { context: { type: 'string', short: 'c', multiple: true } } });
  return Object.fromEntries((values.context ?? []).map(nameAndValue));
}

function nameAndValue(word: string): [string, string] {
  const at = word.indexOf('=');
  if (at < 1) throw new ConfigError(`-c takes name=value, not "${word}".`);
  return [word.slice(0, at), word.slice(at + 1)];
}
