import type { Answer } from './answer.ts';
import type { RestRequest } from './rest-json.ts';

/** How an AWS service is plugged into the rehearsal's endpoint: one object per service, one entry per API operation. */

/** Who signed a request: a role of the template (a function, a state machine, a task), or the person at the keyboard. */
export type Principal =
  | { readonly kind: 'role'; readonly roleArn: string; readonly sessionName?: string }
  | { readonly kind: 'operator' };

export interface OperationContext {
  readonly principal: Principal;
  readonly requestId: string;
}

/** One thing that IAM checks before an operation runs. */
export interface Permission {
  /** For example `ecs:UpdateService`. */
  readonly action: string;
  /** ARN of the resource, or `*` where the action has no resource-level permissions. */
  readonly resource: string;
  /** Condition keys of the request, for example `{ 'ecs:cluster': arn }`. */
  readonly conditions?: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: an operation's input has the shape of its wire message, which the members list guards.
export interface Operation<Input = any, Output extends object = object> {
  /** Input members that are understood. A request with any other is refused loudly, never half obeyed. */
  readonly members: readonly string[];
  /** Input members that a request must have. One without is answered as AWS does, before `permissions` is asked. */
  readonly required?: readonly string[];
  /** What the caller must be allowed to do. Called before `run`; must not change anything. */
  permissions(input: Input): readonly Permission[];
  run(input: Input, context: OperationContext): Promise<Output> | Output;
}

/** How a service's requests and answers look on the wire. */
export type Protocol = 'json-1.0' | 'json-1.1' | 'rest-json' | 'rest-xml' | 'query';

/** How a REST-XML service, of which there is only S3, reads a request and writes an answer. */
export interface RestXmlForm {
  /** @throws AwsError UnsupportedOperation */
  decode(request: RestRequest): { readonly operation: string; readonly input: Record<string, unknown> };
  encode(operation: string, output: object): Answer;
}

/** Where members of a REST-JSON operation are on the wire when they are not in the JSON body. */
export interface HttpBinding {
  /** Input member that is the whole body of the request, as bytes. */
  readonly requestPayload?: string;
  /** Header name (lower case) to input member. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  /** Output member that is the whole body of the answer, as bytes. */
  readonly responsePayload?: string;
  /** Header name to output member. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

export interface Service {
  /** The name in the credential scope of the signature, for example `ecs`, `states`, `elasticloadbalancing`. */
  readonly signingName: string;
  readonly protocol: Protocol;
  /** Prefix of `X-Amz-Target` for the JSON protocols, for example `AmazonEC2ContainerServiceV20141113`. */
  readonly targetPrefix?: string;
  /** XML name space of the answers of the query protocol. */
  readonly xmlNamespace?: string;
  /**
   * Names of the elements of lists in the answers of the query protocol, for example
   * `{ ReplicationGroups: 'ReplicationGroup' }`. A list that is not named here has `member`.
   */
  readonly listElements?: Readonly<Record<string, string>>;
  /**
   * Path to operation name for REST-JSON, for example `{ '/Execute': 'ExecuteStatement' }`. A `{Name}` in a path is the
   * input member of that name.
   */
  readonly paths?: Readonly<Record<string, string>>;
  /** Operations of REST-JSON whose messages are more than one JSON document. */
  readonly httpBindings?: Readonly<Record<string, HttpBinding>>;
  /** Of REST-XML. */
  readonly restXml?: RestXmlForm;
  readonly operations: Readonly<Record<string, Operation>>;
}

/** An error as the AWS API would answer it. */
export class AwsError extends Error {
  readonly code: string;
  readonly statusCode: number;
  /** Members of the error's shape besides `message`. */
  readonly members: Readonly<Record<string, unknown>>;

  /**
   * @param code the error's name in the service model, for example `ResourceNotFoundException`
   * @param statusCode HTTP status of the answer
   */
  constructor(code: string, message: string, statusCode = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.statusCode = statusCode;
    this.members = members;
  }
}
