import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeEnvelope } from './requests.ts'
import { makeWorld, post } from './world.ts'

describe('Identify', () => {
  const IDENTIFY = makeEnvelope(
    '',
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>',
  )

  test('is answered as a Server 2012 R2 answers it', async () => {
    const world = makeWorld({ build: 9600 })

    // Published by an administrator, whose host had Basic authentication as well.
    assert.equal(
      (await world.post(IDENTIFY)).text,
      '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header></s:Header><s:Body>' +
        '<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">' +
        '<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>' +
        '<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>' +
        '<wsmid:ProductVersion>OS: 6.3.9600 SP: 0.0 Stack: 3.0</wsmid:ProductVersion><wsmid:SecurityProfiles>' +
        '<wsmid:SecurityProfileName>http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/spnego-kerberos' +
        '</wsmid:SecurityProfileName></wsmid:SecurityProfiles></wsmid:IdentifyResponse></s:Body></s:Envelope>',
    )
  })

  for (const [build, version] of [
    [7601, 'OS: 6.1.7601 SP: 1.0 Stack: 2.0'],
    [9200, 'OS: 6.2.9200 SP: 0.0 Stack: 3.0'],
    [14393, 'OS: 10.0.14393 SP: 0.0 Stack: 3.0'],
    [26100, 'OS: 10.0.26100 SP: 0.0 Stack: 3.0'],
  ] as const) {
    test(`says ${version} of build ${build}, and less to those who did not log in`, async () => {
      const world = makeWorld({ build })

      const known = await world.post(IDENTIFY)
      const unknown = await post(world.service, IDENTIFY, undefined)

      assert.match(known.text, new RegExp(`>${version}<`))
      assert.match(unknown.text, new RegExp(`>OS: 0.0.0 SP: 0.0 Stack: ${build < 9200 ? 2 : 3}.0<`))
      assert.equal(known.text.includes('SecurityProfiles'), build >= 9200)
    })
  }
})
