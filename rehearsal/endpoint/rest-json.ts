import { AwsError, type HttpBinding, type Service } from './service.ts';

export interface RestRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/**
 * Operation and input of a REST-JSON request, put together from the path, the query string, headers and the body.
 *
 * @throws AwsError UnsupportedOperation when no operation of the service has that path
 */
export function decodeRestJson(
  service: Service,
  request: RestRequest,
): { operation: string; input: Record<string, unknown> } {
  const { pathname, searchParams } = new URL(request.url, 'http://endpoint');
  for (const [template, operation] of Object.entries(service.paths ?? {})) {
    const parameters = matchPath(template, request.method, pathname);
    if (!parameters) continue;
    const binding = service.httpBindings?.[operation];
    return {
      operation,
      input: {
        ...Object.fromEntries(searchParams),
        ...parameters,
        ...boundHeaders(binding, request),
        ...boundBody(binding, request.body),
      },
    };
  }
  throw new AwsError(
    'UnsupportedOperation',
    `The rehearsal does not have the operation “${request.method} ${pathname}” of ${service.signingName}. Nothing was done.`,
  );
}

function matchPath(template: string, method: string, pathname: string): Record<string, string> | undefined {
  const [wantedMethod = 'POST', path = template] = template.includes(' ') ? template.split(' ') : ['POST', template];
  if (method !== wantedMethod) return undefined;
  const wanted = path.split('/').filter(Boolean);
  const found = pathname.split('/').filter(Boolean);
  if (wanted.length !== found.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = decodeURIComponent(found[index] ?? '');
    if (segment.startsWith('{')) parameters[segment.slice(1, -1)] = value;
    else if (segment !== value) return undefined;
  }
  return parameters;
}

function boundHeaders(binding: HttpBinding | undefined, request: RestRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(binding?.requestHeaders ?? {})
      .map(([header, member]) => [member, request.headers[header]])
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function boundBody(binding: HttpBinding | undefined, body: Uint8Array): Record<string, unknown> {
  if (binding?.requestPayload) return { [binding.requestPayload]: body };
  return body.length === 0 ? {} : JSON.parse(Buffer.from(body).toString('utf8'));
}
