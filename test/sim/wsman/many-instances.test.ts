import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRequest } from './requests.ts'
import { makeWorld, USER } from './world.ts'

const COUNT = 20_000
/** A second is what it takes on a machine with nothing else to do; tests share theirs. */
const CPU_MAX_MS = 6_000

test(`${COUNT} instances of more than forty properties are enumerated in seconds, in batches as large as they may be`, async () => {
  const world = makeWorld({
    build: 26100,
    content: {
      Msvm_ComputerSystem: Array.from({ length: COUNT }, (_, index) => ({
        CreationClassName: 'Msvm_ComputerSystem',
        Name: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
        ElementName: `vm${index}`,
        OperationalStatus: [2],
        InstallDate: '20251217095522.702341+000',
        TimeOfLastStateChange: `20260101000000.${String(index).padStart(6, '0')}+000`,
        OnTimeInMilliseconds: BigInt(index),
      })),
    },
  })
  const { signal } = new AbortController()
  const ask = async (request: string): Promise<string> => {
    const answer = await world.service({ envelope: new TextEncoder().encode(request), user: USER, signal })
    assert.ok(answer !== 'lost' && answer.status === 200)
    return new TextDecoder().decode(answer.envelope)
  }
  const before = process.cpuUsage()

  let text = await ask(makeRequest('Enumerate', 'Msvm_ComputerSystem', { isOptimized: true }))
  let [items, pulls, characters] = [1, 0, 0]
  for (let context = contextIn(text); context !== undefined; context = contextIn(text)) {
    text = await ask(makeRequest('Pull', 'Msvm_ComputerSystem', { context, maxElements: 32_000 }))
    items += text.split('<p:Msvm_ComputerSystem ').length - 1
    characters += text.length
    pulls++
  }

  const { user, system } = process.cpuUsage(before)
  assert.equal(items, COUNT)
  assert.ok((user + system) / 1000 < CPU_MAX_MS, `${(user + system) / 1000} ms`)
  assert.ok(pulls <= characters / 250_000 + 1, `${pulls} pulls for ${characters} characters`)
})

function contextIn(text: string): string | undefined {
  return /<n:EnumerationContext>(uuid:[^<]+)</.exec(text.slice(0, 2_000))?.[1]
}
