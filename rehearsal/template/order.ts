/**
 * Names in an order in which each comes after what it depends on; otherwise as they were.
 *
 * @throws Error that names a circle
 */
export function sortByDependencies(
  names: readonly string[],
  dependenciesOf: (name: string) => Iterable<string>,
): string[] {
  const sorted: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string) => {
    if (done.has(name)) return;
    if (path.includes(name)) throw new Error(`A circle of dependencies: ${[...path, name].join(' → ')}.`);
    path.push(name);
    for (const dependency of dependenciesOf(name)) visit(dependency);
    path.pop();
    done.add(name);
    sorted.push(name);
  };
  for (const name of names) visit(name);
  return sorted;
}
