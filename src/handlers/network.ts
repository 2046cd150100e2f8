import { implement } from '../engine/context.ts'
import { network } from '../model/index.ts'

/** Virtual networks. */
export const networkHandlers = implement(network, { list: ({ store }) => store.all(network) })
