import { randomUUID } from 'node:crypto';

/** The answer of an operation of the query protocol. */
export function encodeXml(
  operation: string,
  output: object,
  xmlNamespace: string,
  listElements: Readonly<Record<string, string>> = {},
  requestId: string = randomUUID(),
): string {
  const result = members(output, listElements);
  return `<${operation}Response xmlns="${escapeXml(xmlNamespace)}"><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`;
}

export function encodeXmlError(
  code: string,
  message: string,
  fault: 'Sender' | 'Receiver',
  xmlNamespace: string,
  requestId: string,
): string {
  return `<ErrorResponse xmlns="${escapeXml(xmlNamespace)}"><Error><Type>${fault}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

/** A document of REST-XML. A list in it is the same element again and again. */
export function encodeXmlDocument(name: string, content: object, xmlNamespace: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${escapeXml(xmlNamespace)}">${flatMembers(content)}</${name}>`;
}

function flatMembers(value: object): string {
  return Object.entries(value)
    .flatMap(([name, member]) => [member].flat().map((item) => flatElement(name, item)))
    .join('');
}

function flatElement(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  const nested = typeof value === 'object' && !(value instanceof Date);
  return `<${name}>${nested ? flatMembers(value) : content(value, {})}</${name}>`;
}

/** As S3 answers an error. */
export function encodeRestXmlError(code: string, message: string, requestId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message><RequestId>${requestId}</RequestId></Error>`;
}

function members(value: object, listElements: Readonly<Record<string, string>>): string {
  return Object.entries(value)
    .map(([name, member]) => element(name, member, listElements))
    .join('');
}

function element(name: string, value: unknown, listElements: Readonly<Record<string, string>>): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) {
    const item = listElements[name] ?? 'member';
    return `<${name}>${value.map((member) => element(item, member, listElements)).join('')}</${name}>`;
  }
  return `<${name}>${content(value, listElements)}</${name}>`;
}

function content(value: unknown, listElements: Readonly<Record<string, string>>): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'object' && value !== null) return members(value, listElements);
  return escapeXml(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => entities[character] ?? character);
}
