/** What the rehearsal and a function's process say to each other. */

export interface InvocationMessage {
  readonly kind: 'invoke';
  readonly requestId: string;
  readonly functionArn: string;
  readonly functionName: string;
  readonly memorySize: number;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** JSON text. */
  readonly payload: string;
}

/** A function's error as Lambda answers it. */
export interface FunctionFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

export type ProcessMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not ready'; readonly failure: FunctionFailure }
  | { readonly kind: 'succeeded'; readonly requestId: string; readonly payload: string }
  | { readonly kind: 'failed'; readonly requestId: string; readonly failure: FunctionFailure }
  /** The last message: the process ends by itself. */
  | { readonly kind: 'lost'; readonly requestId: string; readonly failure: FunctionFailure };
