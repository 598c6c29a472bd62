/** As for PostgreSQL; but strings may be in double quotes and have backslashes, and names are in backticks. */
const token =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|-- [^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|:([A-Za-z_]\w*)/gs;

/**
 * Data API's `:name` as MySQL's `?`.
 *
 * @returns the names in the order of the marks; one that comes twice is there twice
 */
export function markParameters(sql: string): { text: string; names: readonly string[] } {
  const names: string[] = [];
  const text = sql.replace(token, (whole, name: string | undefined) => {
    if (name === undefined) return whole;
    names.push(name);
    return '?';
  });
  return { text, names };
}
