/** A media type and its parameters, names in lower case. */
export interface ContentType {
  /** In lower case, `application/soap+xml`. */
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

/** As many as are read; WinRM sends two. */
const PARAMETERS_MAX = 16
const PARAMETER = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))\s*(?:;|$)/

/** Reads the value of a Content-Type header, leniently; undefined where there is none. Source: RFC 9110, §8.3. */
export function readContentType(value: string | undefined): ContentType | undefined {
  const [type = '', ...tail] = (value ?? '').split(';')
  if (type.trim() === '') return undefined
  const parameters = new Map<string, string>()
  let rest = tail.join(';')
  for (let count = 0; count < PARAMETERS_MAX; count++) {
    const match = PARAMETER.exec(rest)
    if (match === null) break
    const [whole, name = '', quoted, plain = ''] = match
    parameters.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1'))
    rest = rest.slice(whole.length)
  }
  return { type: type.trim().toLowerCase(), parameters }
}
