/** SCRAM-SHA-256, the server's side: logging in with a password that the server does not keep. Source: RFC 5802, RFC 7677. */

export { ScramError } from './error.ts'
export {
  makeScramKeys,
  parseScramKeys,
  pretendedScramKeys,
  SCRAM_MECHANISM,
  type ScramKeys,
  scramKeysText,
} from './keys.ts'
export { saslPrepared } from './saslprep.ts'
export { type KeysOf, ScramServer } from './server.ts'
