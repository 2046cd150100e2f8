import { AuthError } from './auth-error.ts'
import type { Secret } from './target.ts'

/** What a system names its errors by; a text of any other form may be anything. */
const CODE = /^[A-Z][A-Z\d_]{1,63}$/

/**
 * What is kept secret, empty where nothing is. Rejects with AuthError, which calls it `what`. Of what its keeper fails
 * with only the code is told (`ENOENT`): a text may quote what could not be read, as those of parsers do.
 */
export async function askSecret(secret: Secret | undefined, what: string): Promise<string> {
  try {
    return (await secret?.()) ?? ''
  } catch (error) {
    const code = codeOf(error)
    throw new AuthError('refused', `${what} cannot be had${code === undefined ? '' : ` (${code})`}`)
  }
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && CODE.test(code) ? code : undefined
}
