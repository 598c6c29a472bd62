declare module 'asl-validator' {
  /** Checks a definition against the States Language. Writes `QueryLanguage` into the states of what it is given. */
  export default function validate(definition: unknown): {
    readonly isValid: boolean;
    errorsText(separator?: string): string;
  };
}
