import { test } from 'node:test'

/** Sections 6.1 and 6.2 of the document, row by row. Those that virt-manager never used have no result there. */
export const FUNCTIONALITIES = [
  'Create a VM',
  'Destroy a VM',
  'Shutdown a VM',
  'Attach virtual hard drive',
  'Connect virtual network',
  'Update vCPUs number',
  'Get vCPUs number',
  'Get information about vCPUs',
  'Get maximum of vCPUs',
  'Update memory capacity',
  'Update maximum memory capacity',
  'Get host free memory',
  'Update automatic startup action',
  'Get automatic startup action',
  'Get Hyper-V version level',
  'Get Hyper-V capabilities',
  'Get scheduler type',
  'Get scheduler parameters',
  'Get number of active networks',
  'Get active networks names',
  'Get number of inactive networks',
  'Get inactive networks names',
  'Get a networks by its name',
  'Get network XML description',
] as const
export type Functionality = (typeof FUNCTIONALITIES)[number]

/** What became of the functionalities of the document, as tests find out that say which they validate. */
export class Validation {
  readonly #comments = new Map<Functionality, string>()

  /** Declares a test. What it validates is correct if it passes, and its name says how that was tried. */
  test(name: string, functionalities: readonly Functionality[], run: () => Promise<void>): void {
    test(name, async () => {
      await run()
      for (const functionality of functionalities) this.#comments.set(functionality, name)
    })
  }

  /** What has not been found to be correct. */
  get incorrect(): readonly Functionality[] {
    return FUNCTIONALITIES.filter(functionality => !this.#comments.has(functionality))
  }

  /** The table of the document, in Markdown. */
  get table(): string {
    const rows = FUNCTIONALITIES.map(functionality => {
      const comment = this.#comments.get(functionality)
      return `| ${functionality} | ${comment === undefined ? 'Incorrect' : 'Correct'} | ${comment ?? ''} |`
    })
    return ['| Functionality | Result | How it was tried |', '|---|---|---|', ...rows, ''].join('\n')
  }
}
