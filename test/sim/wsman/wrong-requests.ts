import { reference, makeRequest } from './requests.ts'
import { VMS } from './world.ts'
import { DMTF, get, GOOD, SCHEMA, STAR, UNREACHABLE, VM, without, type Wrong } from './wrong.ts'

export const ENVELOPES: readonly Wrong[] = [
  { what: 'is empty', request: '', fault: 'w:SchemaValidationError 2150858819' },
  { what: 'is no XML', request: 'GET / HTTP/1.1', fault: 'w:SchemaValidationError 2150858819' },
  { what: 'breaks off', request: GOOD.slice(0, -20), fault: 'w:SchemaValidationError 2150858819' },
  {
    what: 'has a DTD',
    request: `<!DOCTYPE x [<!ENTITY e "e">]>${GOOD}`,
    fault: 'w:SchemaValidationError 2150858819',
  },
  {
    what: 'is not UTF-8',
    request: Buffer.concat([Buffer.from(GOOD), Buffer.of(0xff)]),
    fault: 'w:EncodingLimit 2150858828 CharacterSet',
  },
  {
    what: 'is larger than the host takes',
    request: `${GOOD}${' '.repeat(600_000)}`,
    fault: 'w:EncodingLimit 2150858805 ServiceEnvelopeLimit',
  },
  {
    what: 'is nested too deeply',
    request: `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`,
    fault: 'w:SchemaValidationError 2150858819',
  },
  { what: 'is no envelope', request: '<a/>', fault: SCHEMA },
  { what: 'is of no SOAP', request: '<Envelope/>', fault: SCHEMA },
  {
    what: 'is of SOAP 1.1',
    request: GOOD.replaceAll('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
    fault: 's:VersionMismatch 2150858765',
  },
  { what: 'has no body', request: without(/<s:Body>.*<\/s:Body>/), fault: SCHEMA },
  { what: 'has two bodies', request: GOOD.replace('<s:Body>', '<s:Body/><s:Body>'), fault: SCHEMA },
  { what: 'has two headers', request: GOOD.replace('<s:Header>', '<s:Header/><s:Header>'), fault: SCHEMA },
]

export const HEADERS: readonly Wrong[] = [
  { what: 'lacks a:To', request: without(/<a:To>.*?<\/a:To>/), fault: 'a:MessageInformationHeaderRequired 2150858769' },
  {
    what: 'lacks a:Action',
    request: without(/<a:Action .*?<\/a:Action>/),
    fault: 'a:MessageInformationHeaderRequired 2150858769',
  },
  {
    what: 'lacks a:MessageID',
    request: without(/<a:MessageID>.*?<\/a:MessageID>/),
    fault: 'a:MessageInformationHeaderRequired 2150858769',
  },
  {
    what: 'lacks w:ResourceURI',
    request: without(/<w:ResourceURI .*?<\/w:ResourceURI>/),
    fault: 'a:MessageInformationHeaderRequired 2150858769',
  },
  {
    what: 'has an empty a:To',
    request: GOOD.replace(/<a:To>.*?</, '<a:To><'),
    fault: 'a:InvalidMessageInformationHeader 2150858767',
  },
  {
    what: 'has a MessageID with blanks',
    request: get({ messageId: 'number one' }),
    fault: 'a:InvalidMessageInformationHeader 2150858767',
  },
  {
    what: 'names its action twice',
    request: GOOD.replace('<a:To>', '<a:Action>x</a:Action><a:To>'),
    fault: 'a:InvalidMessageInformationHeader 2150858767',
  },
  {
    what: 'wants its answer elsewhere',
    request: GOOD.replace('/role/anonymous', '/role/other'),
    fault: 'w:UnsupportedFeature 2150858870 AddressingMode',
  },
  {
    what: 'wants its faults elsewhere',
    request: get({ headers: '<a:FaultTo><a:Address>http://127.0.0.1/</a:Address></a:FaultTo>' }),
    fault: 'w:UnsupportedFeature 2150858870 AddressingMode',
  },
  {
    what: 'has a reply address without an address',
    request: GOOD.replace(/<a:ReplyTo>.*?<\/a:ReplyTo>/, '<a:ReplyTo/>'),
    fault: 'a:InvalidMessageInformationHeader 2150858767',
  },
  {
    what: 'has a header that must be understood and is not',
    request: get({ headers: '<w:ResourceUri s:mustUnderstand="true">x</w:ResourceUri>' }),
    fault: 's:MustUnderstand NaN',
  },
  {
    what: 'has a header of a wrong namespace that must be understood',
    request: get({ headers: '<x:Action xmlns:x="urn:x" s:mustUnderstand="1"/>' }),
    fault: 's:MustUnderstand NaN',
  },
  {
    what: 'demands its locale',
    request: get({ headers: '<w:Locale xml:lang="en-US" s:mustUnderstand="true"/>' }),
    fault: 'w:UnsupportedFeature 2150858887 Locale',
  },
  {
    what: 'takes too small an answer',
    request: get({ headers: '<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>' }),
    fault: 'w:EncodingLimit 2150858878 MinimumEnvelopeLimit',
  },
  {
    what: 'has an envelope size that is none',
    request: get({ headers: '<w:MaxEnvelopeSize>big</w:MaxEnvelopeSize>' }),
    fault: SCHEMA,
  },
  {
    what: 'has a timeout that is none',
    request: get({ headers: '<w:OperationTimeout>60</w:OperationTimeout>' }),
    fault: 'a:InvalidMessageInformationHeader 2150858881',
  },
  {
    what: 'has no time at all',
    request: get({ headers: '<w:OperationTimeout>PT0S</w:OperationTimeout>' }),
    fault: 'a:InvalidMessageInformationHeader 2150858881',
  },
  {
    what: 'has an option that must be complied with',
    request: get({ headers: '<w:OptionSet><w:Option Name="x" MustComply="true">1</w:Option></w:OptionSet>' }),
    fault: 'w:InvalidOptions 2150858833 NotSupported',
  },
  {
    what: 'has too many options',
    request: get({ headers: `<w:OptionSet>${'<w:Option Name="x"/>'.repeat(101)}</w:OptionSet>` }),
    fault: 'w:EncodingLimit 2150858827 OptionLimit',
  },
]

export const RESOURCES: readonly Wrong[] = [
  {
    what: 'is for no resource of WMI',
    request: get({ resourceUri: 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd' }),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
  {
    what: 'is for a namespace without a root',
    request: get({ namespace: 'virtualization' }),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
  {
    what: 'is for a class with a query string',
    request: get({}, 'Msvm_ComputerSystem?Name=a'),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
  {
    what: 'gets any class',
    request: get({ resourceUri: STAR }),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
  {
    what: 'is for a namespace that the host does not have',
    request: get({ namespace: 'root/virtualization' }),
    fault: `${UNREACHABLE} 2150858778 InvalidResourceURI`,
  },
  {
    what: 'is for a class that the namespace does not have',
    request: get({}, 'Msvm_Nothing'),
    fault: `${UNREACHABLE} 2150858778 InvalidResourceURI`,
  },
  {
    what: 'is for a class that is not of DMTF, by a URI of DMTF',
    request: get({ resourceUri: `${DMTF}/Msvm_ComputerSystem` }),
    fault: `${UNREACHABLE} 2150859065 InvalidResourceURI`,
  },
  {
    what: 'names another namespace beside its URI',
    request: get({ selectors: { ...VM, __cimnamespace: 'root/cimv2' } }),
    fault: 'w:InvalidSelectors 2150859067 UnexpectedSelectors',
  },
  {
    what: 'has no selectors for one of many',
    request: get({ selectors: {} }),
    fault: 'w:InvalidSelectors 2150859002 InsufficientSelectors',
  },
  {
    what: 'lacks a selector',
    request: get({ selectors: { Name: VMS[0] } }),
    fault: 'w:InvalidSelectors 2150858842 InsufficientSelectors',
  },
  {
    what: 'has a selector that is no key',
    request: get({ selectors: { ...VM, ElementName: 'vm1' } }),
    fault: 'w:InvalidSelectors 2150858843 UnexpectedSelectors',
  },
  {
    what: 'has a selector twice',
    request: get({ selectors: { ...VM, NAME: VMS[0] } }),
    fault: 'w:InvalidSelectors 2150858847 DuplicateSelectors',
  },
  {
    what: 'has too many selectors',
    request: get({ selectors: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`K${index}`, 'x'])) }),
    fault: 'w:EncodingLimit 2150858826 SelectorLimit',
  },
  { what: 'has a selector without a name', request: GOOD.replace(' Name="Name"', ''), fault: SCHEMA },
  {
    what: 'has a reference for a key that is a text',
    request: GOOD.replace(
      `>${VMS[0]}<`,
      `><a:EndpointReference>${reference('Msvm_ComputerSystem', VM)}</a:EndpointReference><`,
    ),
    fault: 'w:InvalidSelectors 2150858844 TypeMismatch',
  },
  {
    what: 'has a text for a key that is a reference',
    request: makeRequest('Get', 'Msvm_SettingsDefineState', { selectors: { ManagedElement: 'a', SettingData: 'b' } }),
    fault: 'w:InvalidSelectors 2150858844 TypeMismatch',
  },
  {
    what: 'is for what is not there',
    request: get({ selectors: { ...VM, Name: 'x' } }),
    fault: `${UNREACHABLE} 2147749890`,
  },
  { what: 'gets with something in its body', request: get({ body: '<x xmlns="urn:x"/>' }), fault: SCHEMA },
  {
    what: 'is a Put',
    request: makeRequest('Put', 'Msvm_ComputerSystem', { selectors: VM }),
    fault: 'w:InternalError 2150859010',
  },
  { what: 'is a Create', request: makeRequest('Create', 'Msvm_ComputerSystem'), fault: 'w:InternalError 2150859010' },
  {
    what: 'is a Delete',
    request: makeRequest('Delete', 'Msvm_ComputerSystem', { selectors: VM }),
    fault: 'w:InternalError 2150859010',
  },
  {
    what: 'puts what is not there',
    request: makeRequest('Put', 'Msvm_ComputerSystem', { selectors: { ...VM, Name: 'x' } }),
    fault: `${UNREACHABLE} 2147749890`,
  },
  {
    what: 'is for an action that is none',
    request: get({ action: 'http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe' }),
    fault: 'a:ActionNotSupported 2150858771',
  },
  {
    what: 'is for an action named as what every object has',
    request: get({ action: 'constructor' }),
    fault: 'a:ActionNotSupported 2150858771',
  },
  {
    what: 'asks for a fragment that the class does not have',
    request: get({ headers: '<w:FragmentTransfer s:mustUnderstand="true">Nothing</w:FragmentTransfer>' }),
    fault: 'w:CannotProcessFilter 2150858899',
  },
  {
    what: 'asks for a fragment in another case',
    request: get({ headers: '<w:FragmentTransfer>name</w:FragmentTransfer>' }),
    fault: 'w:CannotProcessFilter 2150858899',
  },
  {
    what: 'asks for a fragment in another dialect',
    request: get({ headers: '<w:FragmentTransfer Dialect="urn:x">Name</w:FragmentTransfer>' }),
    fault: 'w:UnsupportedFeature 2150858896 FragmentLevelAccess',
  },
]
