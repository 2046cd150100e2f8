type Write = (details: Readonly<Record<string, unknown>>, message: string) => void

/** Where the engine writes what an operator should know; pino fits. Details never hold secrets. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}
