import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Template } from '../../../rehearsal/template/assembly.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder that a test may fill. It is removed at the end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rehearsal-test-'));
  folders.push(folder);
  return folder;
}

export interface HandWrittenStack {
  readonly template: Template;
  readonly dependencies?: readonly string[];
}

/**
 * Writes a cloud assembly as `cdk synth` does.
 *
 * @param code files of asset folders: the key of the asset without `.zip`, file name, text
 * @returns the folder
 */
export function writeAssembly(
  stacks: Readonly<Record<string, HandWrittenStack>>,
  code: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): string {
  const folder = temporaryFolder();
  const artifacts: Record<string, object> = {};
  for (const [name, { template, dependencies = [] }] of Object.entries(stacks)) {
    writeJson(folder, `${name}.template.json`, template);
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      environment: 'aws://unknown-account/eu-west-1',
      properties: { templateFile: `${name}.template.json` },
      dependencies,
    };
  }
  const files: Record<string, object> = {};
  for (const [key, texts] of Object.entries(code)) {
    mkdirSync(join(folder, `asset.${key}`));
    for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, `asset.${key}`, file), text);
    files[key] = {
      source: { path: `asset.${key}`, packaging: 'zip' },
      destinations: { current: { bucketName: 'assets', objectKey: `${key}.zip` } },
    };
  }
  writeJson(folder, 'All.assets.json', { files });
  writeJson(folder, 'manifest.json', { artifacts });
  return folder;
}

function writeJson(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value));
}
