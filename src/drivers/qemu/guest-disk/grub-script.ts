import { type Part, type Token, tokensOf } from './grub-words.ts'
import { damaged } from './reader.ts'

/** A word before its variables are known. */
export type Word = readonly Part[]

/** A command of GRUB's shell. */
export type Command =
  | { readonly kind: 'simple'; readonly words: readonly Word[]; readonly block: Script | undefined }
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: Script }
  | { readonly kind: 'loop'; readonly condition: Script; readonly isUntil: boolean; readonly body: Script }
  | { readonly kind: 'for'; readonly variable: string; readonly words: readonly Word[]; readonly body: Script }
  | { readonly kind: 'function'; readonly name: string; readonly body: Script }

export type Script = readonly Command[]

interface Branch {
  readonly condition: Script
  readonly body: Script
}

/** How deep commands may be in each other. */
const DEPTH_MAX = 64
const BLOCKS = ['menuentry', 'submenu', 'hiddenentry']

/** The commands of a configuration file of GRUB. Rejects as `refused` what is none. */
export function parseScript(text: string): Script {
  const parser = new Parser(tokensOf(text))
  const script = parser.script([])
  if (!parser.isAtEnd) throw damaged("GRUB's configuration ends a block that it did not begin")
  return script
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  /** Commands up to one of these words, which is not taken. */
  script(ends: readonly string[]): Script {
    if (++this.#depth > DEPTH_MAX) throw damaged("GRUB's configuration has too many blocks in each other")
    const commands: Command[] = []
    for (;;) {
      while (this.#tokens[this.#at]?.kind === 'end') this.#at++
      const word = this.#bare()
      if (this.isAtEnd || (word !== undefined && ends.includes(word))) break
      if (word === '}') break
      commands.push(this.#command(word))
    }
    this.#depth--
    return commands
  }

  #command(word: string | undefined): Command {
    switch (word) {
      case 'if':
        return this.#if()
      case 'while':
      case 'until':
        return this.#loop(word === 'until')
      case 'for':
        return this.#for()
      case 'function':
        return this.#function()
      default:
        return this.#simple(word !== undefined && BLOCKS.includes(word))
    }
  }

  #if(): Command {
    const branches: Branch[] = []
    do {
      this.#at++
      const condition = this.script(['then'])
      this.#take('then')
      branches.push({ condition, body: this.script(['elif', 'else', 'fi']) })
    } while (this.#bare() === 'elif')
    const hasElse = this.#bare() === 'else'
    if (hasElse) this.#at++
    const otherwise = hasElse ? this.script(['fi']) : []
    this.#take('fi')
    return { kind: 'if', branches, otherwise }
  }

  #loop(isUntil: boolean): Command {
    this.#at++
    const condition = this.script(['do'])
    return { kind: 'loop', condition, isUntil, body: this.#body() }
  }

  #for(): Command {
    this.#at++
    const variable = this.#bare() ?? ''
    this.#at++
    this.#take('in')
    const words: Word[] = []
    for (let token = this.#tokens[this.#at]; token?.kind === 'word'; token = this.#tokens[++this.#at]) {
      words.push(token.parts)
    }
    while (this.#tokens[this.#at]?.kind === 'end') this.#at++
    return { kind: 'for', variable, words, body: this.#body() }
  }

  #body(): Script {
    this.#take('do')
    const body = this.script(['done'])
    this.#take('done')
    return body
  }

  #function(): Command {
    this.#at++
    const name = this.#bare() ?? ''
    this.#at++
    while (this.#tokens[this.#at]?.kind === 'end') this.#at++
    return { kind: 'function', name, body: this.#block() }
  }

  #simple(mayHaveBlock: boolean): Command {
    const words: Word[] = []
    for (let token = this.#tokens[this.#at]; token?.kind === 'word'; token = this.#tokens[++this.#at]) {
      if (mayHaveBlock && token.bare === '{') return { kind: 'simple', words, block: this.#block() }
      if (token.bare === '}') break
      words.push(token.parts)
    }
    return { kind: 'simple', words, block: undefined }
  }

  #block(): Script {
    this.#take('{')
    const body = this.script([])
    this.#take('}')
    return body
  }

  /** The next word, where it is one without quotes and variables. */
  #bare(): string | undefined {
    const token = this.#tokens[this.#at]
    return token?.kind === 'word' ? token.bare : undefined
  }

  #take(word: string): void {
    if (this.#bare() !== word) throw damaged(`in GRUB's configuration, "${word}" is missing`)
    this.#at++
  }
}
