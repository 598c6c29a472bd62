/**
 * What SQL text is made of, as far as telling a parameter from a cast, a string, a quoted name or a comment needs it.
 * The alternatives are tried in this order at each place.
 */
const token =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|::|:([A-Za-z_]\w*)/g;

/**
 * Data API's `:name` as PostgreSQL's `$1`. The same name has the same number everywhere.
 *
 * @returns the names in the order of their numbers
 */
export function numberParameters(sql: string): { text: string; names: readonly string[] } {
  const names: string[] = [];
  const text = sql.replace(token, (whole, _tag: string | undefined, name: string | undefined) => {
    if (name === undefined) return whole;
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { text, names };
}
