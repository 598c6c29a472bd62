/** What a plugin's `version.php` says of one of its members, without the quotes; undefined when it does not. */
export function readMember(versionFile: string, name: string): string | undefined {
  return new RegExp(`\\$plugin->${name}\\s*=\\s*['"]?([^'";]+)['"]?\\s*;`).exec(versionFile)?.[1]?.trim();
}
