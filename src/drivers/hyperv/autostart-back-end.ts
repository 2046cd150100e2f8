import type { StartupAction } from '../driver.ts'

/** The part of a back end that is about what becomes of machines when their host starts. */
export interface AutostartBackEnd {
  /** Rejects as `refused` where the host tells none that has a name here. */
  startup(machineGuid: string): Promise<StartupAction>
  /** Of a machine in any state. */
  setStartup(machineGuid: string, action: StartupAction): Promise<void>
}
