import { call } from './commands/call.ts'
import { cd } from './commands/cd.ts'
import { completion } from './commands/completion.ts'
import { disk } from './commands/disk.ts'
import { host } from './commands/host.ts'
import { login, logout } from './commands/login.ts'
import { network } from './commands/network.ts'
import { nic } from './commands/nic.ts'
import { serve } from './commands/serve.ts'
import { sr } from './commands/sr.ts'
import { task } from './commands/task.ts'
import { user } from './commands/user.ts'
import { vm } from './commands/vm.ts'
import type { Tree } from './program.ts'

/** Every command. A new one is a declaration and a line here or in its group. */
export const tree: Tree = {
  serve,
  vm,
  disk,
  cd,
  sr,
  network,
  nic,
  host,
  user,
  task,
  login,
  logout,
  call,
  completion: completion(() => tree),
}
