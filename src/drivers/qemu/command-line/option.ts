/** Properties of a device or a block node, as QEMU takes them in JSON. */
export type Properties = Readonly<Record<string, unknown>>

/** For options that take no JSON: there, a comma would end the value. */
export const doubleCommas = (text: string): string => text.replaceAll(',', ',,')

/** The option that makes a device; JSON, so that no character of a value means anything. */
export const device = (properties: Properties): string[] => ['-device', JSON.stringify(properties)]
