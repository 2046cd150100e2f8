import { relative } from 'node:path'
import { test } from 'node:test'
import { VALIDATION } from '../../tools/docs/libvirt-functions.ts'
import { type Proof, proofs } from '../../tools/docs/proofs.ts'

const TESTS = new URL('..', import.meta.url).pathname
const ROWS = Object.values(VALIDATION).flat()

/** Chapter 6 of the document, as tests of one file find out that say which of its functionalities they validate. */
export class Validation {
  readonly #proofs: readonly (readonly [functionality: string, proof: Proof])[]
  readonly #passed = new Set<string>()

  /** `file` is where the tests are, whose comments say what they validate: `// Validates: Create a VM`. */
  constructor(file: string) {
    const own = relative(TESTS, file)
    this.#proofs = [...proofs('Validates')].flatMap(([functionality, found]) =>
      found.filter(proof => proof.file === own).map(proof => [functionality, proof] as const),
    )
  }

  /** Declares a test. What it validates is correct here if it passes. */
  test(name: string, run: () => Promise<void>): void {
    test(name, async () => {
      await run()
      this.#passed.add(name)
    })
  }

  /** Functionalities that no test has shown, or not all tests that were to. */
  get incorrect(): readonly string[] {
    return ROWS.map(([functionality]) => functionality).filter(functionality => !this.#isCorrect(functionality))
  }

  /** The tables of the chapter, in Markdown, with what the document says of each functionality. */
  get table(): string {
    const rows = ROWS.map(([functionality, document]) => {
      const result = this.#isCorrect(functionality) ? 'Correct' : 'Incorrect'
      return `| ${functionality} | ${document} | ${result} | ${this.#titlesOf(functionality).join('; ')} |`
    })
    return ['| Functionality | Document | Here | How it was tried |', '|---|---|---|---|', ...rows, ''].join('\n')
  }

  #isCorrect(functionality: string): boolean {
    const titles = this.#titlesOf(functionality)
    return titles.length > 0 && titles.every(title => this.#passed.has(title))
  }

  #titlesOf(functionality: string): readonly string[] {
    return this.#proofs.filter(([name]) => name === functionality).map(([, { title }]) => title)
  }
}
