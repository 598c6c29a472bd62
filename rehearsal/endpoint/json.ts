/**
 * JSON as AWS's JSON protocols have it: moments are seconds since 1970, bytes are base64, absent members are left out.
 */
export function encodeJson(value: unknown): string {
  return JSON.stringify(toWire(value)) ?? 'null';
}

function toWire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toWire(member)]));
  }
  return value;
}
