import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ForwardSettings, forward } from './forward.ts';
import type { TargetGroup } from './target-group.ts';

export type Action =
  | { readonly type: 'forward'; readonly group: TargetGroup }
  | { readonly type: 'redirect'; readonly protocol: string; readonly port: string; readonly code: number }
  | { readonly type: 'fixed-response'; readonly code: number; readonly contentType: string; readonly body: string };

/** One condition of a rule: it holds when any of its patterns (with `*` and `?`) matches. */
export interface Condition {
  readonly field: 'path-pattern' | 'host-header' | 'http-header';
  readonly headerName?: string;
  readonly values: readonly string[];
}

export interface Rule {
  readonly priority: number;
  readonly conditions: readonly Condition[];
  readonly action: Action;
}

/** The action of the first rule, by priority, whose conditions all hold; else the listener's default action. */
export function actionFor(client: IncomingMessage, rules: readonly Rule[], defaultAction: Action): Action {
  const rule = [...rules]
    .sort((one, other) => one.priority - other.priority)
    .find(({ conditions }) => conditions.every((condition) => holds(condition, client)));
  return rule?.action ?? defaultAction;
}

export function act(action: Action, client: IncomingMessage, answer: ServerResponse, settings: ForwardSettings): void {
  if (action.type === 'forward') {
    forward(action.group, client, answer, settings);
    return;
  }
  client.resume();
  if (action.type === 'redirect') {
    answer.writeHead(action.code, { Server: 'awselb/2.0', Location: redirection(action, client) });
    answer.end();
    return;
  }
  answer.writeHead(action.code, { Server: 'awselb/2.0', 'Content-Type': action.contentType });
  answer.end(action.body);
}

/** Another protocol and port for the same page. */
function redirection({ protocol, port }: Extract<Action, { type: 'redirect' }>, client: IncomingMessage): string {
  const host = (client.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  // As a load balancer writes it, also where the port is the protocol's own.
  return `${protocol.toLowerCase()}://${host}:${port}${client.url ?? '/'}`;
}

function holds(condition: Condition, client: IncomingMessage): boolean {
  const { pathname } = new URL(client.url ?? '/', 'http://host');
  const subject = {
    'path-pattern': pathname,
    'host-header': (client.headers.host ?? '').replace(/:\d+$/, '').toLowerCase(),
    'http-header': String(client.headers[condition.headerName?.toLowerCase() ?? ''] ?? ''),
  }[condition.field];
  return condition.values.some((pattern) => wildcard(pattern, condition.field !== 'path-pattern').test(subject));
}

function wildcard(pattern: string, ignoreCase: boolean): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, ignoreCase ? 'i' : '');
}
