import { encodeJson } from './json.ts';
import { AwsError, type Protocol, type Service } from './service.ts';
import { encodeRestXmlError, encodeXml, encodeXmlError } from './xml.ts';

export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const contentTypes: Readonly<Record<Protocol, string>> = {
  'json-1.0': 'application/x-amz-json-1.0',
  'json-1.1': 'application/x-amz-json-1.1',
  'rest-json': 'application/json',
  'rest-xml': 'application/xml',
  query: 'text/xml',
};

/** An operation's output in the form of the service's protocol. */
export function encodeAnswer(service: Service, operation: string, output: object, requestId: string): Answer {
  if (service.protocol === 'query') {
    const body = encodeXml(operation, output, service.xmlNamespace ?? '', service.listElements, requestId);
    return { statusCode: 200, headers: { 'content-type': contentTypes.query }, body };
  }
  if (service.restXml) return service.restXml.encode(operation, output);
  const binding = service.httpBindings?.[operation];
  const bound = new Map(Object.entries(binding?.responseHeaders ?? {}).map(([header, member]) => [member, header]));
  const headers: Record<string, string> = { 'content-type': contentTypes[service.protocol] };
  const members: Record<string, unknown> = {};
  for (const [member, value] of Object.entries(output)) {
    const header = bound.get(member);
    if (header === undefined) members[member] = value;
    else if (value !== undefined) headers[header] = String(value);
  }
  const payload = binding?.responsePayload;
  const body = payload ? ((members[payload] as Uint8Array | undefined) ?? '') : encodeJson(members);
  return { statusCode: 200, headers, body };
}

/**
 * An error in the form of the protocol. One that is no AwsError is the rehearsal's own defect: it is answered 400 and not
 * 500, as callers try a 500 again and again.
 */
export function encodeError(protocol: Protocol, xmlNamespace: string, error: unknown, requestId: string): Answer {
  const known = error instanceof AwsError;
  const code = known ? error.code : 'RehearsalDefect';
  const statusCode = known ? error.statusCode : 400;
  const text = error instanceof Error ? error.message : String(error);
  const message = known ? text : `The rehearsal itself failed: ${text}. Its logs/endpoint.log has the place.`;
  if (protocol === 'rest-xml') {
    const body = encodeRestXmlError(code, message, requestId);
    return { statusCode, headers: { 'content-type': contentTypes[protocol] }, body };
  }
  const contentType = contentTypes[protocol];
  if (protocol === 'query') {
    const fault = statusCode < 500 ? 'Sender' : 'Receiver';
    const body = encodeXmlError(code, message, fault, xmlNamespace, requestId);
    return { statusCode, headers: { 'content-type': contentType }, body };
  }
  return {
    statusCode,
    headers: { 'content-type': contentType, 'x-amzn-errortype': code },
    body: encodeJson({ __type: code, message, ...(known ? error.members : {}) }),
  };
}
