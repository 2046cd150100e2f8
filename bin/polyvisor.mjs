#!/usr/bin/env node
/** The command: the server and the command line. */
import { launch } from './launch.mjs'

await launch(import.meta.url, async (load, args) => {
  const { run } = await load('src/cli/index')
  const serve = async options => {
    const server = await load('src/main')
    await server.serve(options)
  }
  return run(args, { serve, manifest: new URL('../package.json', import.meta.url) })
})
