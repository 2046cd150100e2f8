import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readContentType } from '../../../sim/hyperv/http/content-type.ts'
import { readSealed, sealedType, type SealProtocol, writeSealed } from '../../../sim/hyperv/http/multipart.ts'

const HEADER = Buffer.from('0123456789abcdef')
const DATA = Buffer.from('--Encrypted Boundary--\r\n\0\xff and what else may be sealed', 'latin1')
const LENGTH = Buffer.from([HEADER.length, 0, 0, 0])

/** A body in the form of WinRM, but for what is changed in its text. */
function bodyOf(change: (text: string) => string = text => text, tail = '--Encrypted Boundary--\r\n'): Buffer {
  const text =
    '--Encrypted Boundary\r\n' +
    '\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n' +
    `\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=${DATA.length}\r\n` +
    '--Encrypted Boundary\r\n' +
    '\tContent-Type: application/octet-stream\r\n'
  return Buffer.concat([Buffer.from(change(text)), LENGTH, HEADER, DATA, Buffer.from(tail)])
}

const READ = { protocol: 'SPNEGO', charset: 'UTF-8', sealed: { header: HEADER, data: DATA } } as const

test('a sealed body is written byte for byte as WinRM does it', () => {
  assert.deepEqual(writeSealed(READ), bodyOf())
  assert.equal(
    sealedType('Kerberos'),
    'multipart/encrypted;protocol="application/HTTP-Kerberos-session-encrypted";boundary="Encrypted Boundary"',
  )
})

test('a sealed body is read in every form that clients are known to write', () => {
  const forms: ReadonlyArray<(text: string) => string> = [
    text => text,
    text => text.replaceAll('\t', ''),
    text => text.replaceAll('\t', '    '),
    text => text.replaceAll('\r\n', '\n'),
    text => text.replaceAll('--Encrypted', '-- Encrypted'), // Exchange's clients.
    text => `${text}\r\n`, // As a body of MIME should be.
    text => text.toLowerCase().replaceAll('length', 'Length'),
    text => text.replaceAll('Encrypted Boundary', 'another boundary'),
  ]
  for (const form of forms) assert.deepEqual(readSealed(bodyOf(form)), READ, JSON.stringify(form('x')))
  for (const tail of ['', '\r\n--Encrypted Boundary--\r\n', '-- Encrypted Boundary--', '\r\n']) {
    assert.deepEqual(readSealed(bodyOf(text => text, tail)), READ, JSON.stringify(tail))
  }
})

test('protocol and encoding are told by the body', () => {
  const change = (from: string, to: string) => readSealed(bodyOf(text => text.replace(from, to)))
  const kerberos: SealProtocol | undefined = change('SPNEGO', 'Kerberos')?.protocol

  assert.equal(kerberos, 'Kerberos')
  assert.equal(change('charset=UTF-8', 'charset=UTF-16')?.charset, 'UTF-16')
  assert.equal(change('charset=UTF-8;', '')?.charset, 'UTF-8')
})

test('what is no sealed body, or is longer or shorter than it says, is not read', () => {
  const broken: ReadonlyArray<(text: string) => string> = [
    text => text.replace('--Encrypted', 'Encrypted'),
    text => text.replace('SPNEGO', 'CredSSP'),
    text => text.replace(/Length=\d+/, 'Length=x'),
    text => text.replace(/Length=\d+/, `Length=${DATA.length + 100}`),
    text => text.replace(/Length=\d+/, `Length=${DATA.length - 1}`),
    text => text.replace(/Length=\d+/, 'Length=99999999999'),
    text => text.replace(/;Length=\d+/, ''),
    text => text.replace('soap+xml', 'xml'),
    text => text.replace('octet-stream', 'octets'),
    text => text.replace('UTF-8', 'latin1'),
    text => text.replace('\tContent-Type', `${'\tX: y\r\n'.repeat(20)}\tContent-Type`),
    text => text.replace('\tContent-Type', `\tX: ${'y'.repeat(2000)}\r\n\tContent-Type`),
    () => '',
  ]
  for (const change of broken) assert.equal(readSealed(bodyOf(change)), undefined, change(String(bodyOf())))
  assert.equal(readSealed(bodyOf().subarray(0, -60)), undefined)
  assert.equal(readSealed(Buffer.alloc(0)), undefined)
})

test('media types are read with and without quotes, and whatever comes is no failure', () => {
  const read = (text: string) => {
    const { type, parameters } = readContentType(text) ?? {}
    return [type, parameters && Object.fromEntries(parameters)]
  }

  assert.deepEqual(read('Application/Soap+XML ; Charset=UTF-8'), ['application/soap+xml', { charset: 'UTF-8' }])
  assert.deepEqual(read('a/b;x="y;\\"z";w=1'), ['a/b', { x: 'y;"z', w: '1' }])
  assert.deepEqual(read('a/b;;=;x'), ['a/b', {}])
  assert.deepEqual(read(' '), [undefined, undefined])
  assert.equal(readContentType(undefined), undefined)
})
