/** The operator asked for something that cannot be: the message names it and says what to do. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}
