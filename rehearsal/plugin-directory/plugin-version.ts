/** What a plugin's `version.php` says of one of its members, without the quotes; undefined when it does not. */
export function readMember(versionFile: string, name: string): string | undefined {
  return new RegExp(`\\$plugin->${name}\\s*=\\s*['"]?([^'";]+)['"]?\\s*;`).exec(versionFile)?.[1]?.trim();
}

/** Plugins that one needs, with the least version of each: 0 for any. */
export function readDependencies(versionFile: string): ReadonlyMap<string, number> {
  const list = /\$plugin->dependencies\s*=\s*(?:\[|array\s*\()([^\])]*)/.exec(versionFile)?.[1] ?? '';
  const pairs = list.matchAll(/['"]([a-z][a-z0-9_]*)['"]\s*=>\s*['"]?([\w.]+)/g);
  return new Map([...pairs].map(([, component = '', version]) => [component, Number(version) || 0]));
}
