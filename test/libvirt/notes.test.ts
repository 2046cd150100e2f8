import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE,
  VIR_DOMAIN_LIFECYCLE_ACTION_RESTART,
  VIR_DOMAIN_LIFECYCLE_CRASH,
  VIR_DOMAIN_LIFECYCLE_POWEROFF,
  VIR_DOMAIN_LIFECYCLE_REBOOT,
  VIR_DOMAIN_METADATA_DESCRIPTION,
  VIR_DOMAIN_METADATA_ELEMENT,
  VIR_DOMAIN_METADATA_TITLE,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_DOMAIN_METADATA,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_XML_DETAIL,
} from '../../src/libvirt/index.ts'
import { defined, namesOf, rejectsWith, world } from './world.ts'

const [DESCRIPTION, TITLE, ELEMENT] = [
  VIR_DOMAIN_METADATA_DESCRIPTION,
  VIR_DOMAIN_METADATA_TITLE,
  VIR_DOMAIN_METADATA_ELEMENT,
]

// Proves: virDomainGetMetadata, virDomainSetMetadata
test('a domain has a description, a title and an element of each namespace, which are noted, told and taken away', async () => {
  const { connection } = await world()
  const domain = await defined(connection)
  await domain.create()

  await domain.setMetadata(DESCRIPTION, 'what it\nis for')
  await domain.setMetadata(TITLE, 'The web', null, null, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
  await domain.setMetadata(ELEMENT, "<note kind='a'><b/></note>", 'own', 'urn:own')
  await domain.setMetadata(ELEMENT, '<other/>', 'else', 'urn:else')

  assert.equal(await domain.getMetadata(DESCRIPTION), 'what it\nis for')
  assert.equal(await domain.getMetadata(TITLE, null, VIR_DOMAIN_AFFECT_CONFIG), 'The web')
  assert.match(await domain.getMetadata(ELEMENT, 'urn:own'), /^<note kind='a'>\s*<b\/>\s*<\/note>\s*$/)
  assert.match(
    await domain.getXMLDesc(),
    /<title>The web<\/title>[^]*<own:note xmlns:own=['"]urn:own['"] kind=['"]a['"]>[^]*<else:other xmlns:else=['"]urn:else['"]\/>/,
  )
  await domain.setMetadata(TITLE, null)
  await domain.setMetadata(DESCRIPTION, '')
  await domain.setMetadata(ELEMENT, null, null, 'urn:own')
  for (const [type, uri] of [[TITLE], [DESCRIPTION], [ELEMENT, 'urn:own']] as const) {
    await rejectsWith(VIR_ERR_NO_DOMAIN_METADATA, domain.getMetadata(type, uri), /^metadata not found: Requested/)
  }
  assert.match(await domain.getMetadata(ELEMENT, 'urn:else'), /other/)
})

test('what is no note is refused, and nothing is changed', async () => {
  const domain = await defined((await world()).connection)
  await domain.setMetadata(TITLE, 'kept')

  const wrong: ReadonlyArray<readonly [call: Promise<unknown>, why: RegExp]> = [
    [domain.setMetadata(TITLE, 'two\nlines'), /can't contain newlines/],
    [domain.setMetadata(TITLE, 'a', 'key'), /key in virDomainSetMetadata must be NULL/],
    [domain.setMetadata(DESCRIPTION, 'a', null, 'urn:a'), /uri in virDomainSetMetadata must be NULL/],
    [domain.setMetadata(ELEMENT, '<a/>', 'key'), /uri in virDomainSetMetadata must not be NULL/],
    [domain.setMetadata(ELEMENT, '<a/>', null, 'urn:a'), /key in virDomainSetMetadata must not be NULL/],
    [domain.setMetadata(7, 'a'), /unknown metadata type '7'/],
    [domain.getMetadata(TITLE, null, 16), /unsupported flags \(0x10\)/],
  ]
  for (const [call, why] of wrong) await rejectsWith(VIR_ERR_INVALID_ARG, call, why)
  await rejectsWith(VIR_ERR_XML_DETAIL, domain.setMetadata(ELEMENT, '<a', 'key', 'urn:a'))
  const live = domain.setMetadata(TITLE, 'a', null, null, VIR_DOMAIN_AFFECT_LIVE)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, live, /domain is not running/)

  assert.equal(await domain.getMetadata(TITLE), 'kept')
})

// Proves: virDomainSetLifecycleAction
test('what becomes of a domain when its guest ends is chosen, as far as hosts can do it', async () => {
  const domain = await defined((await world()).connection)
  const [POWEROFF, REBOOT, CRASH] = [
    VIR_DOMAIN_LIFECYCLE_POWEROFF,
    VIR_DOMAIN_LIFECYCLE_REBOOT,
    VIR_DOMAIN_LIFECYCLE_CRASH,
  ]

  await domain.setLifecycleAction(POWEROFF, VIR_DOMAIN_LIFECYCLE_ACTION_RESTART)
  await domain.setLifecycleAction(CRASH, VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE, VIR_DOMAIN_AFFECT_CONFIG)
  const refused = [POWEROFF, VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE] as const
  await rejectsWith(
    VIR_ERR_OPERATION_UNSUPPORTED,
    domain.setLifecycleAction(...refused),
    /the action 'preserve' is not taken here/,
  )
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setLifecycleAction(REBOOT, 9), /invalid lifecycle action/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setLifecycleAction(3, 0), /invalid lifecycle type/)

  assert.match(
    await domain.getXMLDesc(),
    /<on_poweroff>restart<\/on_poweroff>\s*<on_reboot>restart<\/on_reboot>\s*<on_crash>preserve<\/on_crash>/,
  )
})

// Proves: virDomainRename
test('a domain that is off gets another name that nobody has', async () => {
  const { connection } = await world()
  const [domain] = [await defined(connection, { name: 'one' }), await defined(connection, { name: 'other' })]

  await rejectsWith(VIR_ERR_INVALID_ARG, domain.rename(''), /new_name in virDomainRename/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.rename('one'), /Can't rename domain to itself/)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.rename('other'), /domain with name 'other' already exists/)
  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.rename('new'), /cannot rename active domain/)
  await domain.managedSave()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.rename('new'), /managed saved state/)
  await domain.managedSaveRemove()
  await domain.rename('new')

  assert.deepEqual(namesOf(await connection.listAllDomains()), ['new', 'other'])
  assert.equal((await connection.domainLookupByUUID(domain.getUUID())).getName(), 'new')
})
