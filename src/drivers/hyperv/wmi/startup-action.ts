import { DriverError, type StartupAction } from '../../driver.ts'

/** The numbers of AutomaticStartupAction, which each namespace has its own of. */
export type StartupCodes = Readonly<Record<StartupAction, number>>

/** The action that a number stands for. Throws DriverError, `refused`, for one without a name here. */
export function startupOf(codes: StartupCodes, code: number | undefined): StartupAction {
  for (const action of ['never', 'if-was-running', 'always'] as const) if (codes[action] === code) return action
  throw new DriverError('refused', `the host tells an automatic startup action that is none: ${code ?? 'nothing'}`)
}
