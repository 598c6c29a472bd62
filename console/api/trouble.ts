/** What an AWS SDK error means to the person at the keyboard. */
export interface Trouble {
  /** Plain sentences: what happened, and what to do. */
  readonly words: string;
  /** Whether looking again may do, without anybody doing anything. */
  readonly passing: boolean;
}

/** An error whose message is already what the person has to be told. */
export class PlainError extends Error {
  override readonly name = 'PlainError';
}

interface SdkError extends Error {
  readonly $fault?: 'client' | 'server';
  readonly $retryable?: object;
  readonly code?: unknown;
  readonly address?: unknown;
  readonly hostname?: unknown;
}

const network =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENETDOWN|UND_ERR_\w+|TimeoutError)$/;
const throttled = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;
const expired = /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|RequestExpired)$/;
const unknownKeys =
  /^(UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature\w*|MissingAuthenticationToken\w*)$/;

export interface Place {
  /** The profile that is used, where one is named. */
  readonly profile: string | undefined;
  /** Of a rehearsal, or any other endpoint that was given. */
  readonly endpointUrl: string | undefined;
}

/**
 * @param place where the call went, to be part of the words
 * @returns undefined for an error that says nothing about AWS: one of our own mistakes
 */
export function troubleOf(error: unknown, place: Place): Trouble | undefined {
  if (error instanceof PlainError) return { words: error.message, passing: false };
  if (!(error instanceof Error)) return undefined;
  const { name, message, code, $fault, $retryable } = error as SdkError;
  const profile = place.profile === undefined ? '' : ` of the profile “${place.profile}”`;
  if (network.test(String(code)) || network.test(name) || message === 'socket hang up') {
    const what = String(code ?? name);
    const words =
      place.endpointUrl === undefined
        ? `Step Functions does not answer (${what}). Is this computer online, and the region right?`
        : `${place.endpointUrl} does not answer (${what}). Is the rehearsal still up? npx lifecycle rehearse starts one.`;
    return { words, passing: true };
  }
  if (throttled.test(name)) {
    return { words: `Step Functions asks for fewer calls (${name}). Try again in a minute.`, passing: true };
  }
  if (expired.test(name) || (name === 'CredentialsProviderError' && /expired|sso|token/i.test(message))) {
    const login = `aws sso login${place.profile === undefined ? '' : ` --profile ${place.profile}`}`;
    return {
      words: `The credentials${profile} have expired (${message}). Sign in again, for example: ${login}`,
      passing: false,
    };
  }
  if (name === 'CredentialsProviderError') {
    return {
      words:
        `There are no AWS credentials${profile} (${message}). Set them up with aws configure or aws sso login, name ` +
        'another profile with --profile, or look at a rehearsal with --rehearsal.',
      passing: false,
    };
  }
  if (unknownKeys.test(name)) {
    return {
      words: `AWS does not know the credentials${profile} (${name}: ${message}). Look at aws sts get-caller-identity, or name another profile with --profile.`,
      passing: false,
    };
  }
  if (/AccessDenied/.test(name)) {
    return {
      words: `AWS does not let you do this: ${message}. Have somebody allow it, or name another profile with --profile.`,
      passing: false,
    };
  }
  if (message === 'Region is missing') {
    return { words: `No AWS region is set${profile}. Name one with --region, or set AWS_REGION.`, passing: false };
  }
  const named = refusals[name];
  if (named !== undefined) return { words: `${named} (${message})`, passing: false };
  if ($retryable !== undefined || $fault === 'server') {
    return { words: `Step Functions failed on its side (${name}: ${message}). Try again in a minute.`, passing: true };
  }
  return $fault === 'client'
    ? { words: `Step Functions refused this: ${message} (${name}).`, passing: false }
    : undefined;
}

const refusals: Readonly<Record<string, string>> = {
  ExecutionDoesNotExist:
    'There is no such execution, or it ended more than 90 days ago. npx lifecycle history lists those that there are.',
  InvalidArn: 'That is not the ARN of an execution. npx lifecycle history lists those that there are.',
  StateMachineDoesNotExist: 'There is no such state machine any more. Was the site destroyed, or deployed again?',
  ExecutionAlreadyExists: 'An execution of that name is there already. Give another --name.',
  ExecutionNotRedrivable: 'Step Functions cannot resume this execution.',
  TaskTimedOut: 'The question has expired; nobody waits for the answer any more.',
  TaskDoesNotExist: 'The question was answered already, or its execution has ended.',
  InvalidToken: 'The question was answered already, or its execution has ended.',
};
