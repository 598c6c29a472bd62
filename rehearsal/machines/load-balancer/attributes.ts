/** Attributes of a target group that are obeyed, with AWS's defaults. */
export const targetGroupAttributes: Readonly<Record<string, string>> = {
  'deregistration_delay.timeout_seconds': '300',
  'stickiness.enabled': 'false',
  'stickiness.type': 'lb_cookie',
  'stickiness.lb_cookie.duration_seconds': '86400',
  'load_balancing.algorithm.type': 'round_robin',
};

/** Attributes of a load balancer; deletion protection, access logs and HTTP/2 to the client have no meaning here. */
export const loadBalancerAttributes: Readonly<Record<string, string>> = {
  'idle_timeout.timeout_seconds': '60',
  'deletion_protection.enabled': 'false',
  'access_logs.s3.enabled': 'false',
  'access_logs.s3.bucket': '',
  'access_logs.s3.prefix': '',
  'routing.http.drop_invalid_header_fields.enabled': 'false',
  'routing.http2.enabled': 'true',
  'routing.http.xff_header_processing.mode': 'append',
};

/** Attributes of a listener that change its answers, with the header that each sets. */
export const listenerHeaders: Readonly<Record<string, string>> = {
  'routing.http.response.strict_transport_security.header_value': 'strict-transport-security',
  'routing.http.response.x_content_type_options.header_value': 'x-content-type-options',
};

/** The others; the name of the server is not hidden here. */
export const listenerAttributes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(listenerHeaders).map((key) => [key, ''])),
  'routing.http.response.server.enabled': 'true',
};

const allowedValues: Readonly<Record<string, RegExp>> = {
  'deregistration_delay.timeout_seconds': /^([0-9]|[1-9]\d{1,2}|[12]\d{3}|3[0-5]\d{2}|3600)$/,
  'stickiness.enabled': /^(true|false)$/,
  'stickiness.type': /^lb_cookie$/,
  'stickiness.lb_cookie.duration_seconds': /^[1-9]\d{0,5}$/,
  'load_balancing.algorithm.type': /^round_robin$/,
  'routing.http.xff_header_processing.mode': /^(append|preserve)$/,
};

/**
 * The given attributes over AWS's defaults.
 *
 * @throws Error for an attribute that the rehearsal does not know, or a value that it does not obey
 */
export function attributesOf(
  defaults: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, key)) throw new Error(`the rehearsal does not know the attribute ${key}.`);
    if (allowedValues[key]?.test(value) === false) {
      throw new Error(`the rehearsal does not know the value ${value} of the attribute ${key}.`);
    }
  }
  return { ...defaults, ...given };
}
