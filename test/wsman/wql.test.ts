import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { CimTimestamp } from '../../src/protocols/wsman/datetime.ts'
import { type KeyValue, reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import {
  allOf,
  anyOf,
  associatorsOf,
  like,
  referencesOf,
  Wql,
  wql,
  wqlName,
  wqlNames,
} from '../../src/protocols/wsman/wql.ts'

const V2 = 'root/virtualization/v2'

/**
 * The tokens of a query, by the rules of WQL: strings in quotes of either kind with a backslash before what it escapes,
 * object paths in braces, words, numbers and signs.
 */
function tokens(text: string): readonly (readonly [kind: string, value: string])[] {
  const found: [string, string][] = []
  const pattern =
    /(?<space>\s+)|'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)"|\{(?<path>[^}]*)\}|(?<word>[A-Za-z_]\w*)|(?<number>-?\d+(?:\.\d+)?)|(?<sign><>|[<>!]=|[=<>(),*])/sy
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const groups = pattern.exec(text)?.groups
    if (groups === undefined) return [...found, ['broken', text.slice(at)]]
    const string = groups['single'] ?? groups['double']
    if (string !== undefined) found.push(['string', string.replaceAll(/\\(.)/gs, '$1')])
    for (const kind of ['path', 'word', 'number', 'sign']) {
      const value = groups[kind]
      if (value !== undefined) found.push([kind, value])
    }
  }
  return found
}

/** Text that tries to get out of where it is put. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        "'",
        '"',
        '\\',
        '\\\\',
        "\\'",
        "' OR '1' = '1",
        '}',
        '{',
        '%',
        '_',
        '[',
        '--',
        '\n',
        '\u{2019}',
        'Ä',
      ),
      {
        maxLength: 6,
      },
    )
    .map(parts => parts.join('')),
)

describe('a value in a query', () => {
  test('is quoted, whatever it is', () => {
    const { text } = wql`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = ${'it\'s "C:\\x"'} AND ProcessID = ${42}`

    assert.equal(
      text,
      String.raw`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'it\'s "C:\\x"' AND ProcessID = 42`,
    )
    assert.equal(
      wql`${true} ${false} ${18_446_744_073_709_551_615n} ${-1.5}`.text,
      'TRUE FALSE 18446744073709551615 -1.5',
    )
    assert.equal(wql`InstallDate > ${new CimTimestamp(0n)}`.text, "InstallDate > '19700101000000.000000+000'")
  })

  test('stays one string, and what is around it stays as it is', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, other) => {
        const { text } = wql`SELECT * FROM Msvm_X WHERE A = ${one} AND (B != ${other} OR C LIKE ${one})`

        assert.deepEqual(tokens(text), [
          ...tokens('SELECT * FROM Msvm_X WHERE A ='),
          ['string', one],
          ...tokens('AND (B !='),
          ['string', other],
          ...tokens('OR C LIKE'),
          ['string', one],
          ...tokens(')'),
        ])
      }),
      { numRuns: 2_000 },
    )
  })

  test('may not stand in quotes of the template, where it would be none', () => {
    assert.throws(() => wql`SELECT * FROM X WHERE A = '${'b'}'`, { name: 'CimError' })
    assert.throws(() => wql`SELECT * FROM X WHERE A = "a\\"${'b'}"`, { name: 'CimError' })
    assert.throws(() => wql`SELECT * FROM X WHERE A = 'a`, { name: 'CimError' })
    assert.equal(wql`A = 'it"s' AND B = ${'c'} AND D = "e'f"`.text, `A = 'it"s' AND B = 'c' AND D = "e'f"`)
    assert.equal(wql`A = 'C:\\\\' AND B = ${'c'}`.text, String.raw`A = 'C:\\' AND B = 'c'`)
  })

  test('is no number that WQL has no spelling for', () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7]) {
      assert.throws(() => wql`SELECT * FROM X WHERE A = ${number}`, { name: 'CimError' })
    }
  })
})

describe('pieces of a query', () => {
  test('go together as they are', () => {
    const states = [0, 3].map(state => wql`EnabledState = ${state}`)
    const { text } =
      wql`SELECT ${wqlNames(['Name', 'ElementName'])} FROM ${wqlName('Msvm_X')} WHERE ${allOf([anyOf(states), wql`Name != __SERVER`])}`

    assert.equal(
      text,
      'SELECT Name, ElementName FROM Msvm_X WHERE ((((EnabledState = 0) OR (EnabledState = 3))) AND (Name != __SERVER))',
    )
  })

  test('stay whole, whatever joins them', () => {
    const either = wql`A = 1 OR B = 2`

    assert.equal(allOf([either, wql`C = 3`]).text, '((A = 1 OR B = 2) AND (C = 3))')
    assert.equal(wql`NOT ${anyOf([either])}`.text, 'NOT ((A = 1 OR B = 2))')
  })

  test('are not made of names that are none, nor of nothing', () => {
    for (const name of ['', 'a b', "a'", 'a;b', '1a', 'Ä', 'a\n'])
      assert.throws(() => wqlName(name), { name: 'CimError' })
    for (const make of [() => wqlNames([]), () => allOf([]), () => anyOf([])]) assert.throws(make, { name: 'CimError' })
  })

  test('are made by the template alone', () => {
    assert.throws(() => new Wql("SELECT * FROM X WHERE A = 'b'", Symbol('wql')), { name: 'CimError' })
  })
})

describe('a pattern for LIKE', () => {
  test('lets its values stand for themselves', () => {
    assert.equal(like`Microsoft:${'50%_[x]'}%`, 'Microsoft:50[%][_][[]x]%')
    assert.equal(
      wql`SELECT * FROM X WHERE InstanceID LIKE ${like`%\\Default`}`.text,
      String.raw`SELECT * FROM X WHERE InstanceID LIKE '%\\Default'`,
    )
  })

  test('matches its value and nothing else', () => {
    fc.assert(
      fc.property(nasty, nasty, (value, other) => {
        const pattern = matcher(like`${value}`)

        assert.equal(pattern(value), true)
        assert.equal(pattern(other), value === other)
      }),
    )
  })
})

/** Whether a text is what a pattern says; the meaning of LIKE, told once more. */
function matcher(pattern: string): (text: string) => boolean {
  const parts = pattern.match(/\[[^\]]*\]|[\s\S]/g) ?? []
  const source = parts.map(part => {
    if (part === '%') return '[\\s\\S]*'
    if (part === '_') return '[\\s\\S]'
    const [plain = ''] = /^\[([\s\S])\]$/.exec(part)?.slice(1) ?? [part]
    return plain.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  })
  const compiled = new RegExp(`^${source.join('')}$`)
  return text => compiled.test(text)
}

describe('what is associated', () => {
  test('is asked for by the path of the instance', () => {
    const drive = reference(V2, 'Msvm_DiskDrive', {
      DeviceID: String.raw`Microsoft:1\0\0`,
      CreationClassName: 'Msvm_DiskDrive',
    })

    assert.equal(
      associatorsOf(drive, {
        associationClass: 'Msvm_A',
        resultClass: 'Msvm_B',
        role: 'Antecedent',
        resultRole: 'Dependent',
      }).text,
      String.raw`ASSOCIATORS OF {Msvm_DiskDrive.CreationClassName="Msvm_DiskDrive",DeviceID="Microsoft:1\\0\\0"} WHERE AssocClass = Msvm_A ResultClass = Msvm_B Role = Antecedent ResultRole = Dependent`,
    )
    assert.equal(associatorsOf(reference(V2, 'Msvm_X')).text, 'ASSOCIATORS OF {Msvm_X=@}')
    assert.equal(
      referencesOf(reference(V2, 'Msvm_X', { A: 1 }), { resultClass: 'Msvm_Y', role: 'R' }).text,
      'REFERENCES OF {Msvm_X.A=1} WHERE ResultClass = Msvm_Y Role = R',
    )
  })

  test('may be that of an association, whose keys are paths themselves', () => {
    const link = reference(V2, 'Msvm_Link', { SettingData: reference(V2, 'Msvm_X', { InstanceID: 'a\\b' }) })

    assert.equal(
      associatorsOf(link).text,
      String.raw`ASSOCIATORS OF {Msvm_Link.SettingData="root\\virtualization\\v2:Msvm_X.InstanceID=\"a\\\\b\""}`,
    )
  })

  test('is found by keys that cannot leave their braces and quotes', () => {
    const keys = fc.dictionary(fc.stringMatching(/^[A-Za-z]\w{0,5}$/), nasty, { minKeys: 1, maxKeys: 3 })
    fc.assert(
      fc.property(keys, values => {
        const given: Record<string, KeyValue> = values
        const of = reference(V2, 'Msvm_X', given)
        if (Object.values(values).some(value => value.includes('}'))) {
          assert.throws(() => associatorsOf(of), { name: 'CimError' })
          return
        }

        const [first, second, path, ...rest] = tokens(associatorsOf(of, { resultClass: 'Msvm_Y' }).text)

        assert.deepEqual([first, second], tokens('ASSOCIATORS OF'))
        assert.deepEqual(rest, tokens('WHERE ResultClass = Msvm_Y'))
        const strings = tokens((path?.[1] ?? '').slice('Msvm_X.'.length)).filter(([kind]) => kind === 'string')
        assert.deepEqual(strings.map(([, value]) => value).toSorted(), Object.values(values).toSorted())
      }),
      { numRuns: 1_000 },
    )
  })

  test('is not asked for by names that are none', () => {
    const of = reference(V2, 'Msvm_X', { A: 'b' })

    assert.throws(() => associatorsOf(of, { resultClass: 'X ClassDefsOnly' }), { name: 'CimError' })
    assert.throws(() => referencesOf(of, { role: '' }), { name: 'CimError' })
    assert.throws(() => associatorsOf(reference(V2, 'Msvm_X', { 'A="b"} WHERE X': 'b' })), { name: 'CimError' })
  })
})
