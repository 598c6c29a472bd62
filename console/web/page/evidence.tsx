import { plainWords } from './words.ts';

/** What a phase gave, member by member. */
export function Evidence({
  title,
  evidence,
  open,
}: {
  readonly title: string;
  readonly evidence: unknown;
  readonly open: boolean;
}) {
  return (
    <details class="evidence" open={open}>
      <summary>
        {title}: <span class="short">{plainWords(evidence)}</span>
      </summary>
      <Value value={evidence} />
    </details>
  );
}

function Value({ value }: { readonly value: unknown }) {
  if (Array.isArray(value)) {
    if (value.length === 0) return <span>none</span>;
    return (
      <ul>
        {value.map((item, index) => (
          // The members of evidence have no identity but their place.
          <li key={index}>
            <Value value={item} />
          </li>
        ))}
      </ul>
    );
  }
  if (typeof value === 'object' && value !== null) {
    return (
      <dl>
        {Object.entries(value).map(([name, member]) => (
          <div key={name}>
            <dt>
              {name.replace(
                /([a-z])([A-Z])/g,
                (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`,
              )}
            </dt>
            <dd>
              <Value value={member} />
            </dd>
          </div>
        ))}
      </dl>
    );
  }
  if (typeof value === 'boolean') return <span>{value ? 'yes' : 'no'}</span>;
  return <span>{value === null || value === undefined || value === '' ? 'none' : String(value)}</span>;
}
