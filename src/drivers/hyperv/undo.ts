import { DriverError } from '../driver.ts'

/** Takes back what was done before something failed. */
export type Undo = () => Promise<void>

/**
 * Takes something back because of `cause`, which the caller throws then. Where that fails too, rejects with what remains,
 * `what`, beside the cause.
 */
export async function takeBack(undo: Undo, cause: unknown, what: string): Promise<void> {
  try {
    await undo()
  } catch (error) {
    const [first, second] = [cause, error].map(each => (each instanceof Error ? each.message : ''))
    throw new DriverError('refused', `${first}; and ${what}: ${second}`, { cause })
  }
}
