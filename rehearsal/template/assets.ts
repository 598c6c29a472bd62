import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      { readonly source: { readonly path: string }; readonly destinations: Record<string, { objectKey: string }> }
    >
  >;
}

/**
 * The file or folder that an S3 object of the bootstrap bucket would have been uploaded from.
 *
 * @param key for example `0f3c….zip`
 * @returns absolute path in the cloud assembly
 * @throws Error when no asset of the assembly has that key
 */
export function assetPath(cloudAssembly: string, key: string): string {
  for (const name of readdirSync(cloudAssembly).filter((file) => file.endsWith('.assets.json'))) {
    const { files = {} } = JSON.parse(readFileSync(join(cloudAssembly, name), 'utf8')) as AssetManifest;
    for (const { source, destinations } of Object.values(files)) {
      if (!Object.values(destinations).some(({ objectKey }) => objectKey === key)) continue;
      const path = join(cloudAssembly, source.path);
      if (existsSync(path)) return path;
    }
  }
  throw new Error(`The cloud assembly has no asset with the key ${key}.`);
}
