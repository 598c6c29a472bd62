const substitution = /\$\{([^!}][^}]*)\}/g;

/** The logical ids that a value refers to by Ref, Fn::GetAtt and Fn::Sub; parameters and pseudo parameters among them. */
export function referencesIn(value: unknown): Set<string> {
  const found = new Set<string>();
  collect(value, found);
  return found;
}

function collect(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'Ref' && typeof member === 'string') found.add(member);
    else if (key === 'Fn::GetAtt') found.add(String(Array.isArray(member) ? member[0] : String(member).split('.')[0]));
    else {
      if (key === 'Fn::Sub') collectSubstitutions(member, found);
      collect(member, found);
    }
  }
}

function collectSubstitutions(value: unknown, found: Set<string>): void {
  const [text, own = {}] = Array.isArray(value) ? value : [value];
  for (const [, name = ''] of String(text).matchAll(substitution)) {
    if (!Object.hasOwn(own as object, name)) found.add(name.split('.')[0] ?? name);
  }
}
