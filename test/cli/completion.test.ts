import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { completionScript, SHELLS } from '../../src/cli/completion-script.ts'
import { optionName } from '../../src/cli/command.ts'
import { tree } from '../../src/cli/tree.ts'

/** What bash offers behind these words, the last of which is still being typed. */
function offered(...words: readonly string[]): readonly string[] {
  const line = words.map(word => `"${word}"`).join(' ')
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _polyvisor; echo "\${COMPREPLY[@]}"`
  const script = `${completionScript('bash', tree)}\n${ask}`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ')
}

test('bash offers groups, verbs and options where they can stand', () => {
  assert.deepEqual(offered('polyvisor', 'v'), ['vm'])
  assert.deepEqual(offered('polyvisor', 'vm', 's'), ['show', 'set', 'start', 'suspend', 'shutdown', 'serial'])
  assert.deepEqual(offered('polyvisor', 'vm', 'start', '--p'), ['--paused', '--password-file'])
  assert.deepEqual(offered('polyvisor', '--json', 'disk', 'attach', 'root', 'web-1', '--r'), ['--read-only'])
})

for (const shell of SHELLS) {
  test(`the script for ${shell} names every command and every option`, () => {
    const script = completionScript(shell, tree)

    for (const [name, entry] of Object.entries(tree)) {
      assert.ok(script.includes(name), name)
      const commands = 'commands' in entry ? Object.entries(entry.commands) : [[name, entry] as const]
      for (const [verb, { options }] of commands) {
        assert.ok(script.includes(verb), verb)
        for (const key of Object.keys(options)) assert.ok(script.includes(optionName(key)), key)
      }
    }
  })
}

test('every command says what it does, and shows how', () => {
  for (const [name, entry] of Object.entries(tree)) {
    const commands = 'commands' in entry ? Object.entries(entry.commands) : [[name, entry] as const]
    for (const [verb, { doc, examples = [] }] of commands) {
      const words = 'commands' in entry ? `${name} ${verb}` : name
      assert.match(doc, /^[A-Z].*\.$/, words)
      assert.ok(examples.length > 0 && examples.every(example => example.startsWith(words)), words)
    }
  }
})
