type Tree = { [key: string]: Tree | string };

/**
 * The input of a request of the query protocol, for example `Names.member.1=a&Names.member.2=b` as `{ Names: [a, b] }`.
 * Every value is a string: the protocol carries no types. A map (`Tags.entry.1.key=…`) becomes an object.
 */
export function decodeQuery(body: string): { action: string; input: Record<string, unknown> } {
  const tree: Tree = {};
  let action = '';
  for (const [name, value] of new URLSearchParams(body)) {
    if (name === 'Action') action = value;
    else if (name !== 'Version') place(tree, name.split('.'), value);
  }
  return { action, input: Object.fromEntries(Object.entries(tree).map(([key, node]) => [key, shape(node)])) };
}

function place(tree: Tree, path: readonly string[], value: string): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const known = tree[head];
  const branch: Tree = typeof known === 'object' ? known : {};
  tree[head] = branch;
  place(branch, rest, value);
}

function shape(node: Tree | string): unknown {
  if (typeof node === 'string') return node;
  const list = listOf(node);
  if (list) return list.map(shape);
  const entries = Object.entries(node);
  const [only] = entries;
  if (entries.length === 1 && only && typeof only[1] === 'object') {
    const items = listOf(only[1]);
    // Lists are wrapped in an element whose name is `member` or the service's own; maps in one that is named `entry`.
    if (items) return only[0] === 'entry' ? mapOf(items.map(shape)) : items.map(shape);
  }
  return Object.fromEntries(entries.map(([key, member]) => [key, shape(member)]));
}

function listOf(node: Tree): (Tree | string)[] | undefined {
  const keys = Object.keys(node);
  if (keys.length === 0 || !keys.every((key) => /^\d+$/.test(key))) return undefined;
  return keys.sort((a, b) => Number(a) - Number(b)).map((key) => node[key] ?? '');
}

function mapOf(entries: unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.map((entry) => {
      const { key, value, Name, Value } = entry as Record<string, unknown>;
      return [String(key ?? Name), value ?? Value];
    }),
  );
}
