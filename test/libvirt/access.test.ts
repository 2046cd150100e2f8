import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { type ProcedureName, procedures } from '../../src/protocols/libvirt-rpc/index.ts'
import { isWrite } from '../../src/protocols/libvirt-rpc/procedure.ts'
import { Access, OPERATOR, type User } from '../../src/libvirt/rpc/access.ts'
import { isForAdministrators, rightsOf } from '../../src/libvirt/rpc/rights.ts'
import { LoginLater, type LoginWay, SaslLogin } from '../../src/libvirt/rpc/sasl-login.ts'

const isName = (name: string): name is ProcedureName => Object.hasOwn(procedures, name)
const names = Object.keys(procedures).filter(isName)
const needsAdministrator = (name: ProcedureName, args: unknown = { flags: 0, source: 0 }) =>
  rightsOf(name, args).some(isForAdministrators)

/** What is refused on a connection that may only read, and yet is for everybody: operating what there is. */
const OPERATING = [
  'CONNECT_BASELINE_HYPERVISOR_CPU',
  'CONNECT_COMPARE_HYPERVISOR_CPU',
  'CONNECT_GET_DOMAIN_CAPABILITIES',
  'DOMAIN_CREATE',
  'DOMAIN_CREATE_WITH_FLAGS',
  'DOMAIN_DESTROY',
  'DOMAIN_DESTROY_FLAGS',
  'DOMAIN_FSFREEZE',
  'DOMAIN_FSTHAW',
  'DOMAIN_FSTRIM',
  'DOMAIN_GET_FSINFO',
  'DOMAIN_INJECT_NMI',
  'DOMAIN_MANAGED_SAVE',
  'DOMAIN_MANAGED_SAVE_REMOVE',
  'DOMAIN_OPEN_CHANNEL',
  'DOMAIN_OPEN_CONSOLE',
  'DOMAIN_OPEN_GRAPHICS_FD',
  'DOMAIN_PM_SUSPEND_FOR_DURATION',
  'DOMAIN_PM_WAKEUP',
  'DOMAIN_REBOOT',
  'DOMAIN_RESET',
  'DOMAIN_RESUME',
  'DOMAIN_REVERT_TO_SNAPSHOT',
  'DOMAIN_SCREENSHOT',
  'DOMAIN_SEND_KEY',
  'DOMAIN_SET_TIME',
  'DOMAIN_SHUTDOWN',
  'DOMAIN_SHUTDOWN_FLAGS',
  'DOMAIN_SNAPSHOT_CREATE_XML',
  'DOMAIN_SNAPSHOT_DELETE',
  'DOMAIN_SUSPEND',
  'NODE_DEVICE_GET_AUTOSTART',
]

describe('the rights of procedures', () => {
  test('let everybody read, and of what writes nothing but operate domains', () => {
    const [writing, reading] = [true, false].map(writes =>
      names.filter(name => isWrite(procedures[name], { flags: 0 }) === writes),
    )

    assert.deepEqual(
      reading?.filter(name => needsAdministrator(name)),
      [],
    )
    assert.deepEqual(writing?.filter(name => !needsAdministrator(name)).sort(), OPERATING)
  })

  test('leave what is secret, what goes by an agent and what is redefined to administrators', () => {
    const cases: ReadonlyArray<readonly [ProcedureName, number]> = [
      ['DOMAIN_GET_XML_DESC', 1],
      ['DOMAIN_GET_XML_DESC', 8],
      ['DOMAIN_SNAPSHOT_GET_XML_DESC', 1],
      ['DOMAIN_MANAGED_SAVE_GET_XML_DESC', 1],
      ['DOMAIN_GET_VCPUS_FLAGS', 8],
      ['DOMAIN_REBOOT', 2],
      ['DOMAIN_SHUTDOWN_FLAGS', 2],
      ['DOMAIN_SNAPSHOT_CREATE_XML', 1],
    ]
    for (const [name, flags] of cases) {
      assert.deepEqual(
        [needsAdministrator(name, { flags }), needsAdministrator(name, { flags: 0 })],
        [true, false],
        name,
      )
      assert.equal(needsAdministrator(name, null), true, 'flags that cannot be read count as all of them')
    }
    const bySource = [0, 1, 2].map(source => needsAdministrator('DOMAIN_INTERFACE_ADDRESSES', { source, flags: 0 }))
    assert.deepEqual(bySource, [false, true, false])
    assert.equal(needsAdministrator('DOMAIN_INTERFACE_ADDRESSES', { flags: 0 }), true)
  })

  test('are those of libvirt where nothing else is said', () => {
    assert.deepEqual(rightsOf('DOMAIN_CREATE_XML', { flags: 0 }), ['domain:write', 'domain:start'])
    assert.deepEqual(rightsOf('NETWORK_UNDEFINE', {}), ['network:delete'])
    assert.deepEqual(rightsOf('DOMAIN_SAVE', {}), ['domain:hibernate', 'file:name'])
    assert.deepEqual(rightsOf('DOMAIN_GET_HOSTNAME', { flags: 0 }), ['domain:write'])
    assert.deepEqual(rightsOf('DOMAIN_GET_TIME', { flags: 0 }), ['domain:write'])
    assert.deepEqual(rightsOf('CONNECT_OPEN', { flags: 0 }), ['none'])
  })
})

describe('a client', () => {
  const denied = {
    name: 'RpcError',
    code: 88,
    domain: 55,
    message: 'access denied: virDomainUndefine is for administrators (domain:delete)',
    str2: 'virDomainUndefine is for administrators (domain:delete)',
  }

  test('may do what its user may at that moment', () => {
    let isAdministrator = false
    const access = new Access({ user: { name: 'ada', isAdministrator: () => isAdministrator } })

    access.check('DOMAIN_CREATE', {})
    assert.throws(() => access.check('DOMAIN_UNDEFINE', {}), denied)
    isAdministrator = true
    access.check('DOMAIN_UNDEFINE', {})
    assert.equal(access.needsLogin, false)
  })

  test('that is nobody any more may do nothing that is for administrators', () => {
    const access = new Access({ user: OPERATOR })
    access.check('DOMAIN_UNDEFINE', {})

    access.leave()

    assert.throws(() => access.check('DOMAIN_UNDEFINE', {}), denied)
  })

  test('ends with its user, and lets the user go once', () => {
    const end = new AbortController()
    let released = 0
    const user: User = { name: 'ada', isAdministrator: () => true, signal: end.signal, release: () => released++ }
    const access = new Access({ user })

    end.abort()
    access.leave()
    access.leave()

    assert.deepEqual([access.signal.aborted, released], [true, 1])
    assert.equal(new Access({ user }).signal.aborted, true)
  })
})

test('a client that leaves while its last word is looked at watches nobody', async () => {
  const answered = Promise.withResolvers<void>()
  let released = 0
  const user: User = { name: 'ada', isAdministrator: () => true, release: () => released++ }
  const step = () => answered.promise.then(() => ({ data: new Uint8Array(), user }))
  const access = new Access({ login: { mechanisms: ['TALE'], begin: () => ({ step }) } })
  access.login?.init()

  const started = access.login?.start('TALE', new Uint8Array())
  access.leave()
  answered.resolve()
  await started

  assert.deepEqual([released, access.needsLogin], [1, true])
})

describe('a login', () => {
  /** Lets in whoever says «sesame» second. */
  const way: LoginWay<string> = {
    mechanisms: ['TALE'],
    begin: () => {
      let steps = 0
      return {
        step: async data => {
          const said = Buffer.from(data).toString()
          if (said === 'later') throw new LoginLater('wait')
          if (said === 'fault') throw new Error('a fault')
          steps++
          if (steps === 1) return { data: Buffer.from('who?') }
          return said === 'sesame' ? { data: Buffer.from('in'), user: 'ali' } : undefined
        },
      }
    },
  }
  const refused = { name: 'RpcError', code: 45, domain: 7, message: 'authentication failed: authentication failed' }
  const bytes = (text: string) => Buffer.from(text)

  test('is done when the mechanism says who it is, and not begun again', async () => {
    const entered: string[] = []
    const login = new SaslLogin(way, user => entered.push(user))

    assert.equal(login.init(), 'TALE')
    assert.throws(() => login.init(), refused)
    assert.deepEqual(await login.start('TALE', bytes('open')), { isComplete: false, data: bytes('who?') })
    assert.deepEqual(await login.step(bytes('sesame')), { isComplete: true, data: bytes('in') })

    assert.deepEqual([entered, login.isOpen], [['ali'], false])
    await assert.rejects(login.step(bytes('sesame')), refused)
    assert.throws(() => login.init(), refused)
    assert.deepEqual([entered, login.isOpen], [['ali'], false])
  })

  test('asks who says nothing at first', async () => {
    const login = new SaslLogin(way, () => undefined)
    login.init()

    assert.deepEqual(await login.start('TALE', undefined), { isComplete: false, data: new Uint8Array(0) })
    assert.deepEqual(await login.step(bytes('open')), { isComplete: false, data: bytes('who?') })
  })

  test('that failed begins anew, three times', async () => {
    const login = new SaslLogin(way, () => undefined)
    const failures: ReadonlyArray<() => Promise<unknown>> = [
      () => login.start('PLAIN', bytes('open')),
      async () => {
        await login.start('TALE', bytes('open'))
        await login.step(bytes('wrong'))
      },
      () => login.start('TALE', bytes('fault')),
    ]

    for (const fail of failures) {
      login.init()
      await assert.rejects(fail(), refused)
    }
    assert.throws(() => login.init(), refused)
  })

  test('that is being answered is the only one, however many are begun beside it', async () => {
    const answered = Promise.withResolvers<void>()
    const slow: LoginWay<string> = {
      mechanisms: ['TALE'],
      begin: () => ({ step: () => answered.promise.then(() => ({ data: bytes('in'), user: 'ali' })) }),
    }
    const entered: string[] = []
    const login = new SaslLogin(slow, user => entered.push(user))
    login.init()

    const first = login.start('TALE', bytes('sesame'))
    await assert.rejects(login.step(bytes('sesame')), refused)
    await assert.rejects(login.start('TALE', bytes('sesame')), refused)
    assert.throws(() => login.init(), refused)
    answered.resolve()

    assert.equal((await first).isComplete, true)
    assert.deepEqual(entered, ['ali'])
  })

  test('says how long to wait', async () => {
    const login = new SaslLogin(way, () => undefined)
    login.init()

    await assert.rejects(login.start('TALE', bytes('later')), { code: 45, message: 'authentication failed: wait' })
  })

  test('lets nobody in who does not say what is to be said, in whatever order', async () => {
    const act = fc.oneof(
      fc.constant(['init'] as const),
      fc.tuple(
        fc.constant('start' as const),
        fc.constantFrom('TALE', 'PLAIN'),
        fc.constantFrom('open', 'sesame', 'later'),
      ),
      fc.tuple(fc.constant('step' as const), fc.constantFrom('open', 'wrong', 'fault')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async acts => {
        const login = new SaslLogin(way, () => assert.fail('somebody was let in'))
        const outcomes = acts.map(async ([kind, one = '', two = '']) => {
          if (kind === 'init') return login.init()
          return kind === 'start' ? login.start(one, bytes(two)) : login.step(bytes(one))
        })
        for (const outcome of await Promise.allSettled(outcomes)) {
          if (outcome.status === 'rejected') assert.equal(Reflect.get(Object(outcome.reason), 'code'), 45)
        }
        assert.equal(login.isOpen, true)
      }),
    )
  })
})
