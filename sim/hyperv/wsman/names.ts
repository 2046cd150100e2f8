/** The namespaces of WS-Management's XML. Source: DSP0226, annex A; MS-WSMV, §2.2.1. */
export const SOAP = 'http://www.w3.org/2003/05/soap-envelope'
export const ADDRESSING = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
export const TRANSFER = 'http://schemas.xmlsoap.org/ws/2004/09/transfer'
export const EVENTING = 'http://schemas.xmlsoap.org/ws/2004/08/eventing'
export const ENUMERATION = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration'
export const WSMAN = 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd'
export const MICROSOFT = 'http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd'
export const BINDING = 'http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd'
export const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/common'
export const WSMAN_FAULT = 'http://schemas.microsoft.com/wbem/wsman/1/wsmanfault'
export const IDENTITY = 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd'
export const SCHEMA_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'
/** Of SOAP 1.1, which no WS-Management service speaks. */
export const SOAP_1_1 = 'http://schemas.xmlsoap.org/soap/envelope/'

export const ANONYMOUS = `${ADDRESSING}/role/anonymous`
export const FAULT_DETAIL = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail'

/** Class URIs of WMI are this, the namespace with slashes, and the class. */
export const WMI_URI = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/'
/** Class URIs in DMTF's form; `__cimnamespace` names the namespace. Source: DSP0227, §5.1. */
export const DMTF_URI = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'

export const Dialect = {
  wql: 'http://schemas.microsoft.com/wbem/wsman/1/WQL',
  selector: 'http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter',
  association: 'http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter',
} as const
