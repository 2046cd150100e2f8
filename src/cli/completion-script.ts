/** Completion scripts, made from the declarations. Where a word stands decides what can follow: `/vm/start`. */

import { type Command, optionName } from './command.ts'
import { GLOBAL_OPTIONS, type Tree } from './program.ts'

/** The shells there are scripts for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** What can stand at a place: a command or an option. */
interface Candidate {
  readonly word: string
  readonly doc: string
  readonly takesValue: boolean
}

/** A place in the command line, and what can stand there. */
interface Place {
  readonly path: string
  readonly candidates: readonly Candidate[]
}

/** The script that a shell reads. */
export function completionScript(shell: (typeof SHELLS)[number], tree: Tree): string {
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
  return scripts[shell](placesOf(tree))
}

function placesOf(tree: Tree): readonly Place[] {
  const groups = Object.entries(tree).flatMap(([name, entry]): Place[] => {
    if (!('commands' in entry)) return [{ path: `/${name}`, candidates: optionsOf(entry) }]
    const verbs = Object.entries(entry.commands)
    return [
      { path: `/${name}`, candidates: [...verbs.map(([verb, { doc }]) => plain(verb, doc)), HELP] },
      ...verbs.map(([verb, command]) => ({ path: `/${name}/${verb}`, candidates: optionsOf(command) })),
    ]
  })
  const top = Object.entries(tree).map(([name, { doc }]) => plain(name, doc))
  return [{ path: '', candidates: [...top, ...globals(), plain('--version', 'print the version'), HELP] }, ...groups]
}

const plain = (word: string, doc: string): Candidate => ({ word, doc, takesValue: false })

const HELP = plain('--help', 'say what can be written here')

const globals = (): readonly Candidate[] =>
  GLOBAL_OPTIONS.map(([flags, doc]) => {
    const [word = '', value] = flags.split(' ')
    return { word, doc, takesValue: value !== undefined }
  })

function optionsOf({ options, local }: Command): readonly Candidate[] {
  const own = Object.entries(options).map(([key, { doc, value }]) => ({
    word: `--${optionName(key)}`,
    doc,
    takesValue: value !== undefined,
  }))
  const words = new Set(own.map(candidate => candidate.word))
  const shared = local === true ? [] : globals().filter(candidate => !words.has(candidate.word))
  return [...own, ...shared, HELP]
}

/** The paths below the top, as patterns of a `case`. */
const patterns = (places: readonly Place[]): string =>
  places.flatMap(({ path }) => (path === '' ? [] : [path])).join('|')

const bashScript = (places: readonly Place[]): string => `# Completion of polyvisor for bash.
_polyvisor() {
  local at= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
      ${patterns(places)}) at="$at/$word" ;;
    esac
  done
  case "$at" in
${places.map(({ path, candidates }) => `    "${path}") words="${candidates.map(({ word }) => word).join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _polyvisor polyvisor
`

const zshScript = (places: readonly Place[]): string => `#compdef polyvisor
# Completion of polyvisor for zsh.
_polyvisor() {
  local at= word
  local -a candidates
  for word in \${words[2,CURRENT-1]}; do
    case "$at/$word" in
      (${patterns(places)}) at="$at/$word" ;;
    esac
  done
  case "$at" in
${places.map(({ path, candidates }) => `    ("${path}") candidates=(${candidates.map(zshCandidate).join(' ')}) ;;`).join('\n')}
  esac
  _describe 'polyvisor' candidates || _files
}
if [ "$funcstack[1]" = "_polyvisor" ]; then _polyvisor "$@"; else compdef _polyvisor polyvisor; fi
`

const zshCandidate = ({ word, doc }: Candidate): string => quoted(`${word}:${doc.replaceAll(':', '\\:')}`, `'\\''`)

const fishScript = (places: readonly Place[]): string => `# Completion of polyvisor for fish.
function __polyvisor_at
  set -l at ''
  for word in (commandline -opc)[2..]
    switch "$at/$word"
      case ${patterns(places).replaceAll('|', ' ')}
        set at "$at/$word"
    end
  end
  test "$at" = "$argv[1]"
end
${places.flatMap(({ path, candidates }) => candidates.map(candidate => fishLine(path, candidate))).join('\n')}
`

function fishLine(path: string, { word, doc, takesValue }: Candidate): string {
  const what = word.startsWith('--') ? `-l ${word.slice(2)}${takesValue ? ' -r' : ''}` : `-f -a ${word}`
  return `complete -c polyvisor -n '__polyvisor_at "${path}"' ${what} -d ${quoted(doc.replaceAll('\\', '\\\\'), `\\'`)}`
}

/** In single quotes, with those inside written as the shell wants them. */
const quoted = (text: string, quote: string): string => `'${text.replaceAll("'", quote)}'`
