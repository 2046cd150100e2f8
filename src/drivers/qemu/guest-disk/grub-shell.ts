import { type Command, parseScript, type Script, type Word } from './grub-script.ts'
import { test } from './grub-test.ts'
import { damaged } from './reader.ts'

/** By what GRUB looks for a file system. */
export type SearchKey = 'uuid' | 'label' | 'file'

/** The disk as GRUB's commands see it. Files are named `(hd0,gpt1)/path`, or by a path on the device `root`. */
export interface GrubDisk {
  /** What a file holds; undefined where there is none. */
  readText(device: string, path: string): Promise<string | undefined>
  /** What is there: undefined where nothing is, and for a folder no bytes. */
  look(device: string, path: string): Promise<{ readonly isFolder: boolean; readonly bytes: number } | undefined>
  /** The device of a file system with this; undefined where none has. */
  search(by: SearchKey, value: string): Promise<string | undefined>
}

/** An entry of the menu, or a menu below it. */
export interface GrubEntry {
  readonly title: string
  readonly id: string
  readonly isMenu: boolean
  readonly body: Script
}

/** What an entry loads: files as they are named, with the device that counted then. */
export interface GrubLoaded {
  readonly kernel: string
  readonly device: string
  readonly words: readonly string[]
  readonly initrds: readonly string[]
}

const STEPS_MAX = 20_000
const CALLS_MAX = 32
const ENTRIES_MAX = 2_000
const VALUE_LENGTH_MAX = 16_384
const VARIABLES_MAX = 1_000

/** What GRUB says of itself, for configurations that ask. Source: GRUB 2.06, grub-core/normal/main.c. */
const FEATURES =
  'chainloader_bpb ntldr platform_search_hint default_font_path all_video_module menuentry_id menuentry_options 200_final nativedisk_cmd timeout_style net_cmd'

/** GRUB's shell, as far as finding what an entry loads needs it. Commands that are not known fail, and nothing else. */
export class GrubShell {
  readonly variables = new Map<string, string>([
    ['grub_platform', 'pc'],
    ['grub_cpu', 'i386'],
    ...FEATURES.split(' ').map(name => [`feature_${name}`, 'y'] as const),
  ])
  entries: GrubEntry[] = []
  #kernel: Omit<GrubLoaded, 'initrds'> | undefined
  #initrds: readonly string[] = []
  readonly #disk: GrubDisk
  readonly #functions = new Map<string, Script>()
  #steps = 0
  #calls = 0
  #isOk = true

  constructor(disk: GrubDisk, device: string, folder: string) {
    this.#disk = disk
    this.variables.set('root', device).set('prefix', `(${device})${folder}`)
  }

  /** Runs a file; false where there is none. */
  async runFile(name: string): Promise<boolean> {
    const text = await this.#disk.readText(...this.place(name))
    if (text !== undefined) await this.#inside(() => this.run(parseScript(text)))
    return text !== undefined
  }

  async run(script: Script): Promise<void> {
    for (const command of script) await this.#command(command)
  }

  /** What an entry loads; undefined where that is no Linux. */
  async load({ body }: GrubEntry): Promise<GrubLoaded | undefined> {
    this.#kernel = undefined
    this.#initrds = []
    await this.run(body)
    return this.#loaded()
  }

  /** The device and path that a name stands for. */
  place(name: string): readonly [device: string, path: string] {
    const match = /^\(([^)]*)\)(.*)$/s.exec(name)
    return match === null ? [this.variables.get('root') ?? '', name] : [match[1] ?? '', match[2] ?? '']
  }

  async #command(command: Command): Promise<void> {
    if (++this.#steps > STEPS_MAX) throw damaged(`GRUB's configuration does not end within ${STEPS_MAX} commands`)
    switch (command.kind) {
      case 'simple':
        return this.#simple(command.words, command.block)
      case 'function':
        this.#functions.set(command.name, command.body)
        return
      case 'if':
        for (const { condition, body } of command.branches) {
          await this.run(condition)
          if (this.#isOk) return this.run(body)
        }
        return this.run(command.otherwise)
      case 'for':
        for (const value of command.words.flatMap(word => this.#expand(word))) {
          this.#set(command.variable, value)
          await this.run(command.body)
        }
        return
      case 'loop':
        for (;;) {
          await this.run(command.condition)
          if (this.#isOk === command.isUntil) return
          await this.run(command.body)
        }
    }
  }

  async #simple(template: readonly Word[], block: Script | undefined): Promise<void> {
    const words = template.flatMap(word => this.#expand(word))
    const isNegated = words[0] === '!'
    const [name, ...rest] = isNegated ? words.slice(1) : words
    if (name === undefined) return
    this.#isOk = (await this.#call(name, rest, block)) !== isNegated
  }

  async #call(name: string, words: readonly string[], block: Script | undefined): Promise<boolean> {
    const assignment = /^([A-Za-z_]\w*)=(.*)$/s.exec(name)
    if (assignment !== null) return this.#set(assignment[1] ?? '', assignment[2] ?? '')
    const body = this.#functions.get(name)
    if (body !== undefined) {
      await this.#inside(() => this.run(body))
      return this.#isOk
    }
    switch (name) {
      case 'set':
        return words[0] === undefined || this.#call(words[0], [], undefined)
      case 'unset':
        for (const word of words) this.variables.delete(word)
        return true
      case '[':
      case 'test':
        return test(name === '[' ? words.slice(0, -1) : words, file => this.#disk.look(...this.place(file)))
      case 'menuentry':
      case 'submenu':
        return this.#addEntry(name === 'submenu', words, block ?? [])
      case 'search':
        return this.#search(words)
      case 'search.fs_uuid':
        return this.#found('uuid', words[0], words[1])
      case 'search.fs_label':
        return this.#found('label', words[0], words[1])
      case 'search.file':
        return this.#found('file', words[0], words[1])
      case 'load_env':
        return this.#loadEnvironment(words)
      case 'source':
      case '.':
      case 'configfile':
        return this.#source(words[0] ?? '', name === 'configfile')
      case 'linux':
      case 'linux16':
      case 'linuxefi':
        this.#kernel = { kernel: words[0] ?? '', device: this.variables.get('root') ?? '', words: words.slice(1) }
        return true
      case 'initrd':
      case 'initrd16':
      case 'initrdefi':
        this.#initrds = words
        return true
      default:
        return ['true', 'echo', 'export', 'insmod', 'normal', 'save_env'].includes(name)
    }
  }

  #loaded(): GrubLoaded | undefined {
    return this.#kernel === undefined ? undefined : { ...this.#kernel, initrds: this.#initrds }
  }

  #set(name: string, value: string): true {
    if (this.variables.size >= VARIABLES_MAX) throw damaged("GRUB's configuration has too many variables")
    this.variables.set(name, value)
    return true
  }

  #addEntry(isMenu: boolean, words: readonly string[], body: Script): boolean {
    if (this.entries.length >= ENTRIES_MAX) throw damaged("GRUB's menu has too many entries")
    let [title, id] = ['', '']
    for (let index = 0; index < words.length; index++) {
      const word = words[index] ?? ''
      const option = /^--(?:id|class|users|hotkey|source)(?:=(.*))?$/s.exec(word)
      if (option !== null) {
        const value = option[1] ?? words[++index] ?? ''
        if (word.startsWith('--id')) id = value
      } else if (!word.startsWith('--') && title === '') title = word
    }
    this.entries.push({ title, id: id === '' ? title : id, isMenu, body })
    return true
  }

  async #search(words: readonly string[]): Promise<boolean> {
    let by: SearchKey = 'file'
    let variable: string | undefined
    const names: string[] = []
    for (const word of words) {
      if (word === '--fs-uuid' || word === '-u') by = 'uuid'
      else if (word === '--label' || word === '--fs-label' || word === '-l') by = 'label'
      else if (word.startsWith('--set') || word === '-s') variable = /=(.+)$/s.exec(word)?.[1] ?? 'root'
      else if (!word.startsWith('-')) names.push(word)
    }
    return this.#found(by, names[0], variable)
  }

  async #found(by: SearchKey, value: string | undefined, variable: string | undefined): Promise<boolean> {
    const device = value === undefined ? undefined : await this.#disk.search(by, value)
    if (device === undefined) return false
    return variable === undefined || this.#set(variable, device)
  }

  /**
   * Sets what the block of variables holds. `next_entry`, which counts for one boot only, is left out: GRUB would take it
   * out of the block, and nothing is written here.
   */
  async #loadEnvironment(words: readonly string[]): Promise<boolean> {
    const named = words.findIndex(word => word === '-f' || word === '--file')
    const joined = words.find(word => word.startsWith('--file='))?.slice('--file='.length)
    const name = joined ?? (named === -1 ? undefined : words[named + 1]) ?? `${this.variables.get('prefix')}/grubenv`
    const text = await this.#disk.readText(...this.place(name))
    if (text === undefined) return false
    for (const line of text.split('\n')) {
      const match = /^([A-Za-z_]\w*)=(.*)$/.exec(line)
      if (match !== null && match[1] !== 'next_entry') this.#set(match[1] ?? '', match[2] ?? '')
    }
    return true
  }

  async #source(name: string, isNewMenu: boolean): Promise<boolean> {
    if (isNewMenu) this.entries = []
    return this.runFile(name)
  }

  async #inside(action: () => Promise<unknown>): Promise<void> {
    if (++this.#calls > CALLS_MAX) throw damaged("GRUB's configuration calls itself without end")
    await action()
    this.#calls--
  }

  /** The words that a word becomes: what unquoted variables hold is split at spaces, and may be none. */
  #expand(word: Word): string[] {
    let words: string[] = []
    let isOpen = false
    const append = (text: string) => {
      const last = isOpen ? `${words.pop() ?? ''}${text}` : text
      if (last.length > VALUE_LENGTH_MAX) throw damaged("a word of GRUB's configuration is too long")
      words.push(last)
      isOpen = true
    }
    for (const part of word) {
      const text = part.kind === 'text' ? part.text : this.#valueOf(part.name)
      if (part.kind === 'text' || part.isQuoted) {
        append(text)
        continue
      }
      const pieces = text.split(/[ \t\n]+/)
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) isOpen = false
        if (piece !== '') append(piece)
      }
      if (words.length > ENTRIES_MAX) words = words.slice(0, ENTRIES_MAX)
    }
    return words
  }

  #valueOf(name: string): string {
    return name === '?' ? String(this.#isOk ? 0 : 1) : (this.variables.get(name) ?? '')
  }
}
