/**
 * The language in which commands are declared. Parsing, help and completion are made from these values; the types of
 * what a command is given follow by inference.
 */

import type { Context } from './context.ts'

/** A word that a command takes by its place. */
export interface Argument {
  readonly doc: string
  readonly optional?: true
  /** Takes all words that are left. Only the last argument may. */
  readonly many?: true
}

/** `--full-name TEXT` of the key `fullName`. Without `value` it is a switch. */
export interface Option {
  readonly doc: string
  /** What stands for the value in the help, such as FILE. */
  readonly value?: string
  /** May be given several times. */
  readonly many?: true
}

type Arguments = Readonly<Record<string, Argument>>
type Options = Readonly<Record<string, Option>>

type ArgumentValue<A> = A extends { readonly many: true }
  ? readonly string[]
  : A extends { readonly optional: true }
    ? string | undefined
    : string

type OptionValue<O> = O extends { readonly value: string }
  ? O extends { readonly many: true }
    ? readonly string[]
    : string | undefined
  : boolean

/** What a command is given, by the names of its declaration. */
export type Given<A, O> = (string extends keyof A ? unknown : { readonly [K in keyof A]: ArgumentValue<A[K]> }) &
  (string extends keyof O ? unknown : { readonly [K in keyof O]: OptionValue<O[K]> })

interface Described {
  readonly doc: string
  /** What follows `polyvisor ` in the examples of the help. */
  readonly examples?: readonly string[]
  /** Talks to no server, and so has no options about one. */
  readonly local?: true
}

/** A command, its types set aside. */
export interface Command extends Described {
  readonly args: Arguments
  readonly options: Options
  /** Options by name; those that are not given are absent. */
  readonly run: (
    context: Context,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
  ) => Promise<void>
}

/** Commands under one name: `polyvisor vm …`. */
export interface Group {
  readonly doc: string
  readonly commands: Readonly<Record<string, Command>>
}

/** Declares a command. */
export function command<const A extends Arguments = NoArguments, const O extends Options = NoOptions>(
  declared: Described & {
    readonly args?: A
    readonly options?: O
    readonly run: (context: Context, given: Given<A, O>) => Promise<void>
  },
): Command {
  const { args = {}, options = {}, run, ...described } = declared
  return {
    ...described,
    args,
    options,
    run: (context, words, chosen) => run(context, given<A, O>(args, options, words, chosen)),
  }
}

type NoArguments = Readonly<Record<string, never>>
type NoOptions = Readonly<Record<string, never>>

function given<A, O>(
  args: Arguments,
  options: Options,
  words: readonly unknown[],
  chosen: Readonly<Record<string, unknown>>,
): Given<A, O> {
  const byPlace: readonly unknown[][] = Object.keys(args).map((name, index) => [name, words[index]])
  const byName: readonly unknown[][] = Object.entries(options).map(([name, { value, many }]) => {
    const absent = value === undefined ? false : many === true ? [] : undefined
    return [name, chosen[name] ?? absent]
  })
  // Unchecked: the parser was made from the same declaration, so its values have the declared shapes.
  return Object.fromEntries([...byPlace, ...byName])
}

/** `fullName` as it is typed: `full-name`. */
export const optionName = (key: string): string => key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
