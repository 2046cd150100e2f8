/** What a client said is no SCRAM, or no SCRAM that is spoken here. */
export class ScramError extends Error {
  override readonly name = 'ScramError'
}
