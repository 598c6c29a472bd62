import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { synthesise } from '../../rehearsal/synthesise.ts';
import { RUN_FOLDER } from './global-setup.ts';

export type Context = Readonly<Record<string, string>>;

/** The cloud assembly of a context, synthesised once in a run of the tests however many workers ask for it. */
export async function assemblyFor(context: Context): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(context)).digest('hex').slice(0, 12);
  const folder = join(process.env[RUN_FOLDER] ?? '', `cdk.out-${key}`);
  if (takes(`${folder}.taken`)) {
    await synthesise(`${folder}.new`, context);
    shareFunctions(`${folder}.new`);
    renameSync(`${folder}.new`, folder);
  }
  while (!existsSync(folder)) await sleep(100);
  return folder;
}

/** Functions are the same in every assembly: Node keeps their compiled code by where they are. */
function shareFunctions(folder: string): void {
  const shared = join(process.env[RUN_FOLDER] ?? '', 'functions');
  mkdirSync(shared, { recursive: true });
  for (const name of readdirSync(folder).filter((name) => existsSync(join(folder, name, 'index.mjs')))) {
    const asset = join(folder, name);
    if (takes(join(shared, `${name}.taken`))) renameSync(asset, join(shared, name));
    else rmSync(asset, { recursive: true });
    symlinkSync(join(shared, name), asset);
  }
}

function takes(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a template's resource as CloudFormation reads it.
export type TemplateResource = any;

/** @param folder of the copy, with the assets */
export type Alteration = (id: string, resource: TemplateResource, folder: string) => void;

/** A copy of an assembly with its resources altered, to see what a rollout does on such a platform. */
export function alterAssembly(folder: string, alter: Alteration): string {
  const copies = join(process.env[RUN_FOLDER] ?? '', 'altered');
  mkdirSync(copies, { recursive: true });
  const copy = mkdtempSync(join(copies, 'cdk.out-'));
  cpSync(folder, copy, { recursive: true });
  for (const file of readdirSync(copy).filter((name) => name.endsWith('.template.json'))) {
    const template = JSON.parse(readFileSync(join(copy, file), 'utf8'));
    for (const [id, resource] of Object.entries(template.Resources)) alter(id, resource, copy);
    writeFileSync(join(copy, file), JSON.stringify(template));
  }
  return copy;
}
