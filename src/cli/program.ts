/** The command line: commander's parser, made from the declarations. */

import { Command as Parser, Option as ParserOption } from 'commander'
import { type Argument, type Command, type Group, optionName } from './command.ts'
import type { Context, GlobalOptions } from './context.ts'
import type { Io } from './io.ts'

/** The commands, by name. */
export type Tree = Readonly<Record<string, Command | Group>>

/** Makes the context of a command from the options about server and output. */
export type MakeContext = (options: GlobalOptions) => Context

/** The options of every command that talks to a server. They may stand before the command or behind it. */
export const GLOBAL_OPTIONS: ReadonlyArray<readonly [flags: string, doc: string]> = [
  ['--url <URL>', 'the server: http://HOST:PORT, https://HOST:PORT or unix:///PATH (POLYVISOR_URL)'],
  ['--data <DIR>', "the server's data directory, whose Unix socket needs no password (POLYVISOR_DATA)"],
  ['--user <NAME>', 'log in as this user (default: root)'],
  ['--password-file <FILE>', 'log in with the password in this file, - for standard input (POLYVISOR_PASSWORD)'],
  ['--cacert <FILE>', 'trust the certificates in this PEM file instead of those of the system'],
  ['--fingerprint <SHA256>', 'trust the certificate with this SHA-256 fingerprint and no other'],
  ['--json', 'print JSON, sizes in bytes'],
  ['--no-wait', 'start long operations and print their tasks instead of waiting'],
]

const HEADING = 'Server and output:'

/** Makes the parser. Its actions run the commands. */
export function makeProgram(tree: Tree, makeContext: MakeContext, version: string, io: Io): Parser {
  const program = new Parser('polyvisor')
    .description('One management plane for every hypervisor.')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('hint: add --help to see what can be written here')
    .configureOutput({ writeOut: text => void io.stdout.write(text), writeErr: text => void io.stderr.write(text) })
    .helpCommand(false)
  for (const [name, entry] of Object.entries(tree)) {
    if ('commands' in entry) addGroup(program, name, entry, makeContext)
    else addCommand(program, name, entry, makeContext, [name])
  }
  addGlobalOptions(program, [])
  program.addHelpText('after', PROGRAM_EXAMPLES)
  return program
}

const PROGRAM_EXAMPLES = `
Examples:
  polyvisor serve --data ./data          start a server
  polyvisor vm list                      see its VMs
  polyvisor vm start web-1               start one and wait until it runs
  polyvisor vm console web-1             type at it; Ctrl-] ends
  source <(polyvisor completion bash)    complete commands with the tab key
`

function addGroup(program: Parser, name: string, group: Group, makeContext: MakeContext): void {
  const parser = program.command(name).description(group.doc).helpCommand(false)
  for (const [verb, command] of Object.entries(group.commands)) {
    addCommand(parser, verb, command, makeContext, [name, verb])
  }
  addGlobalOptions(parser, [], true)
  const examples = Object.values(group.commands).flatMap(command => command.examples?.slice(0, 1) ?? [])
  parser.addHelpText('after', examplesText(examples))
}

function addCommand(
  parent: Parser,
  name: string,
  command: Command,
  makeContext: MakeContext,
  path: readonly string[],
): void {
  const parser = parent.command(name).description(command.doc)
  for (const [argument, declared] of Object.entries(command.args)) {
    parser.argument(placeholder(argument, declared), declared.doc)
  }
  for (const [key, { doc, value, many }] of Object.entries(command.options)) {
    const option = new ParserOption(`--${optionName(key)}${value === undefined ? '' : ` <${value}>`}`, doc)
    if (many === true) option.argParser((word, earlier: readonly string[] | undefined) => [...(earlier ?? []), word])
    parser.addOption(option)
  }
  if (command.local !== true) addGlobalOptions(parser, Object.keys(command.options))
  parser.addHelpText('after', examplesText(command.examples ?? [path.join(' ')]))
  parser.action(async () => {
    const context = makeContext(globalOptions(parser, Object.keys(command.options)))
    try {
      await command.run(context, parser.processedArgs, parser.opts())
    } catch (error) {
      throw await context.explained(error)
    } finally {
      await context.end()
    }
  })
}

const placeholder = (name: string, { optional, many }: Argument): string => {
  const word = many === true ? `${name}...` : name
  return optional === true || many === true ? `[${word}]` : `<${word}>`
}

const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map(example => `  polyvisor ${example}\n`).join('')}`

/** `own` are options that the command declares itself, with another meaning. */
function addGlobalOptions(parser: Parser, own: readonly string[], isHidden = false): void {
  for (const [flags, doc] of GLOBAL_OPTIONS) {
    const option = new ParserOption(flags, doc).helpGroup(HEADING)
    if (own.includes(option.attributeName())) continue
    parser.addOption(isHidden ? option.hideHelp() : option)
  }
}

/** The options about server and output, from wherever they stand; the nearest to the command counts. */
function globalOptions(parser: Parser, own: readonly string[]): GlobalOptions {
  const merged: Record<string, unknown> = {}
  for (let at: Parser | null = parser; at !== null; at = at.parent) {
    for (const [key, value] of Object.entries(at.opts())) {
      const isOwn = at === parser && own.includes(key)
      if (!isOwn && at.getOptionValueSource(key) !== 'default' && !Object.hasOwn(merged, key)) merged[key] = value
    }
  }
  return { ...merged, json: merged['json'] === true, wait: merged['wait'] !== false }
}
