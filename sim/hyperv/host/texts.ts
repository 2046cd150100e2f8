import type { JobClass } from './jobs.ts'

/** The languages that a host can be installed in. */
export type Locale = 'en-US' | 'ja-JP'

/** What a job is called, and what it says of itself. */
export interface JobTexts {
  readonly name: string
  readonly description: string
}

/**
 * What a host says in its language. Clients must not depend on any of it. Source: the Japanese texts of a machine and of
 * a storage job were recorded; of the errors, English sentences are as users quote them; the others are our words.
 */
export interface Texts {
  /** Caption of Msvm_ComputerSystem. */
  readonly virtualMachine: string
  readonly hostingSystem: string
  /** Description of Msvm_ComputerSystem. */
  readonly virtualMachineDescription: string
  readonly hostingSystemDescription: string
  /** Caption and Description of Msvm_VirtualSystemSettingData. */
  readonly settings: string
  readonly settingsDescription: string
  /** StatusDescriptions, by OperationalStatus. */
  readonly statuses: Readonly<Record<number, string>>
  readonly serviceRuns: string
  readonly jobRuns: string
  readonly jobCompleted: string
  readonly jobCompletedSuccessfully: string
  readonly jobFailed: string
  readonly jobTerminated: string
  jobOf(className: JobClass, type: number): JobTexts
  /** `Logical Processor 3`. */
  logicalProcessor(number: number): string
  /** ElementName of a snapshot that nobody named. `at` is milliseconds since 1970, shown as UTC. */
  snapshotName(vm: string, at: number): string
  notEnoughMemory(vm: string, id: string, ramMb: number): string
  invalidState(vm: string, id: string): string
  cannotModify(vm: string, id: string, property: string): string
  cannotModifyNow(vm: string, id: string, property: string): string
  invalidValue(property: string): string
  kvpFailed(vm: string, id: string, item: string): string
}
