/** A template that the rehearsal cannot deploy. Says where in the template, and what it does not know. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  /**
   * @param place stack, logical id and property, as far as they are known
   * @param problem what is wrong with it
   */
  constructor(place: readonly string[], problem: string, options?: ErrorOptions) {
    super(`${place.join(', ')}: ${problem}`, options);
  }
}
