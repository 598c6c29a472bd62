/**
 * What CloudWatch Logs matches with the filter patterns of this app, from its guide, "Filter pattern syntax": one quoted
 * text, which a line has to contain as it is, or one comparison of JSON members and several of them joined by `||`.
 *
 * @throws Error for any other pattern: a test that reads one wrongly proves nothing
 */
export function filterPattern(pattern: string): (line: string) => boolean {
  const [, quoted] = /^"([^"]+)"$/.exec(pattern) ?? [];
  if (quoted !== undefined) return (line) => line.includes(quoted);
  const [, comparisons] = /^\{ (.+) \}$/.exec(pattern) ?? [];
  if (comparisons === undefined) throw new Error(`This is no filter pattern that is known here: ${pattern}`);
  const wanted = comparisons.split(' || ').map((comparison) => {
    const [, member = '', value] = /^\$\.(\w+) = "([^"]*)"$/.exec(comparison) ?? [];
    if (value === undefined) throw new Error(`This is no comparison that is known here: ${comparison}`);
    return { member, value };
  });
  return (line) => {
    const json = parsed(line);
    return wanted.some(({ member, value }) => json[member] === value);
  };
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
