import { request } from 'node:http';

/** Where and how the health of a target group's targets is asked, as in `AWS::ElasticLoadBalancingV2::TargetGroup`. */
export interface HealthCheck {
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** HTTP codes that mean health, for example `200`, `200,302` or `200-399`. */
  readonly matcher: string;
}

/** What one check found: healthy, or the reason code and words that DescribeTargetHealth shows. */
export type CheckResult = { readonly healthy: true } | { readonly healthy: false; reason: string; description: string };

/** Asks once. A load balancer's check carries the target's address as Host and does not keep the connection. */
export function checkHealth(host: string, port: number, check: HealthCheck): Promise<CheckResult> {
  return new Promise((resolve) => {
    const asked = request({
      host,
      port,
      path: check.path,
      agent: false,
      headers: { Host: `${host}:${port}`, 'User-Agent': 'ELB-HealthChecker/2.0', Connection: 'close' },
    });
    const timer = setTimeout(() => {
      resolve({ healthy: false, reason: 'Target.Timeout', description: 'Request timed out' });
      asked.destroy();
    }, check.timeoutSeconds * 1_000);
    asked.once('response', (response) => {
      clearTimeout(timer);
      response.resume();
      const code = response.statusCode ?? 0;
      if (matches(check.matcher, code)) return resolve({ healthy: true });
      const description = `Health checks failed with these codes: [${code}]`;
      resolve({ healthy: false, reason: 'Target.ResponseCodeMismatch', description });
    });
    asked.once('error', () => {
      clearTimeout(timer);
      resolve({ healthy: false, reason: 'Target.FailedHealthChecks', description: 'Health checks failed' });
    });
    asked.end();
  });
}

export function matches(matcher: string, code: number): boolean {
  return matcher.split(',').some((part) => {
    const [from = '', to = from] = part.split('-');
    return code >= Number(from) && code <= Number(to);
  });
}
