#!/usr/bin/env node
/** The command of the simulated Hyper-V host. */
import { launch } from './launch.mjs'

await launch(import.meta.url, async (load, args) => {
  const { run } = await load('sim/hyperv/command')
  return run(args)
})
