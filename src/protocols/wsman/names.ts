/** What the prefixes of the envelopes stand for. They are Windows' own prefixes; replies are read by namespace alone. */
export const NAMESPACE = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  a: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  n: 'http://schemas.xmlsoap.org/ws/2004/09/enumeration',
  x: 'http://schemas.xmlsoap.org/ws/2004/09/transfer',
  e: 'http://schemas.xmlsoap.org/ws/2004/08/eventing',
  w: 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd',
  p: 'http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd',
  b: 'http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd',
  cim: 'http://schemas.dmtf.org/wbem/wscim/1/common',
  f: 'http://schemas.microsoft.com/wbem/wsman/1/wsmanfault',
  wmiError: 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError',
  wsmid: 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
} as const

const TRANSFER = 'http://schemas.xmlsoap.org/ws/2004/09/transfer'
const ENUMERATION = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration'

/** What a request asks for; a method's action is its class URI, a slash, and its name. Source: DSP0226. */
export const ACTION = {
  get: `${TRANSFER}/Get`,
  put: `${TRANSFER}/Put`,
  create: `${TRANSFER}/Create`,
  delete: `${TRANSFER}/Delete`,
  enumerate: `${ENUMERATION}/Enumerate`,
  pull: `${ENUMERATION}/Pull`,
  release: `${ENUMERATION}/Release`,
} as const

/** The languages of filters. Source: MS-WSMV; DSP0226; DSP0227. */
export const DIALECT = {
  wql: 'http://schemas.microsoft.com/wbem/wsman/1/WQL',
  selector: 'http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter',
  association: 'http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter',
} as const

/** The address of whoever asks; endpoint references carry it too. Source: WS-Addressing, August 2004. */
export const ANONYMOUS = 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous'
