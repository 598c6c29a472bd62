/** One value per period, the newest last; `undefined` where nothing was measured. */
export type Series = readonly (number | undefined)[];

/**
 * What CloudWatch makes of the expressions of this app (its guide, "Using math expressions"): a result is there only
 * where all that it is made of is, `FILL` apart; comparisons give 1 or 0; `SUM` and `MAX` over `METRICS()` take what is
 * there.
 *
 * @param series by the ids that the expression uses
 * @throws Error for what is not known here: a test that reads an expression wrongly proves nothing
 */
export function metricMath(
  expression: string,
  series: ReadonlyMap<string, Series>,
  periodSeconds: number,
  length: number,
): Series {
  const words = expression.match(/[A-Za-z_]\w*|\d+(?:\.\d+)?|>=|<=|==|[><+\-*/(),]/g) ?? [];
  if (words.join('') !== expression.replaceAll(' ', '')) throw new Error(`Not to be read: ${expression}`);
  let next = 0;
  const take = (expected?: string): string => {
    const word = words[next++] ?? '';
    if (expected !== undefined && word !== expected) throw new Error(`${expected} and not ${word} in ${expression}`);
    return word;
  };
  const scalar = (value: number): Series => Array.from({ length }, () => value);

  const operand = (): Series => {
    const word = take();
    if (word === '(') {
      const inside = comparison();
      take(')');
      return inside;
    }
    if (/^\d/.test(word)) return scalar(Number(word));
    if (words[next] === '(') return call(word);
    const found = series.get(word);
    if (!found) throw new Error(`There is no ${word} in ${expression}`);
    return found;
  };
  const chain = (below: () => Series, operators: Readonly<Record<string, (a: number, b: number) => number>>) => () => {
    let left = below();
    for (let of = operators[words[next] ?? '']; of; of = operators[words[next] ?? '']) {
      const operator = of;
      take();
      const right = below();
      left = left.map((value, at) => {
        const other = right[at];
        return value === undefined || other === undefined ? undefined : operator(value, other);
      });
    }
    return left;
  };
  const product = chain(operand, { '*': (a, b) => a * b, '/': (a, b) => a / b });
  const sum = chain(product, { '+': (a, b) => a + b, '-': (a, b) => a - b });
  const compared = chain(sum, {
    '>=': (a, b) => Number(a >= b),
    '<=': (a, b) => Number(a <= b),
    '==': (a, b) => Number(a === b),
  });
  const comparison = chain(compared, { AND: (a, b) => Number(a !== 0 && b !== 0) });

  function call(name: string): Series {
    take('(');
    if (name === 'SUM' || name === 'MAX') {
      for (const word of ['METRICS', '(', ')', ')']) take(word);
      return over(name === 'SUM' ? (values) => values.reduce((a, b) => a + b) : (values) => Math.max(...values));
    }
    const given = [comparison()];
    while (words[next] === ',') {
      take();
      given.push(comparison());
    }
    take(')');
    const [first = [], second = [], third = []] = given;
    if (name === 'FILL') return first.map((value, at) => value ?? second[at]);
    if (name === 'PERIOD') return scalar(periodSeconds);
    if (name !== 'IF') throw new Error(`The function ${name} is not known here.`);
    return first.map((value, at) => (value === undefined ? undefined : value !== 0 ? second[at] : third[at]));
  }
  function over(combine: (values: number[]) => number): Series {
    return Array.from({ length }, (_, at) => {
      const there = [...series.values()].map((each) => each[at]).filter((value) => value !== undefined);
      return there.length === 0 ? undefined : combine(there);
    });
  }

  const result = comparison();
  if (next !== words.length) throw new Error(`${words[next]} is left over in ${expression}`);
  return result;
}
