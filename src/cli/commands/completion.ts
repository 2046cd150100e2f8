import { command, type Command } from '../command.ts'
import { completionScript, SHELLS } from '../completion-script.ts'
import { UsageError } from '../failure.ts'
import type { Tree } from '../program.ts'

/** Completion with the tab key. It is made from the tree that it is itself a part of, so that comes late. */
export const completion = (treeOf: () => Tree): Command =>
  command({
    doc: 'Print a script that lets the shell complete commands and options.',
    args: { shell: { doc: 'bash, zsh or fish' } },
    examples: [
      'completion bash > /etc/bash_completion.d/polyvisor',
      'completion zsh > "${fpath[1]}/_polyvisor"',
      'completion fish > ~/.config/fish/completions/polyvisor.fish',
    ],
    local: true,
    async run(context, { shell }) {
      const known = SHELLS.find(each => each === shell)
      if (known === undefined)
        throw new UsageError(`there is no completion for ${shell}; there is for ${SHELLS.join(', ')}`)
      context.io.stdout.write(completionScript(known, treeOf()))
    },
  })
