import { makeRequest, reference } from './requests.ts'
import {
  ASSOCIATION_FILTER,
  call,
  enumerate,
  filter,
  get,
  GOOD,
  SCHEMA,
  SELECTOR_FILTER,
  STAR,
  VM,
  type Wrong,
} from './wrong.ts'

const EPR = reference('Msvm_ComputerSystem', VM)
const destroy = (inner: string): string =>
  makeRequest('DestroySystem', 'Msvm_VirtualSystemManagementService', {
    selectors: { CreationClassName: 'Msvm_VirtualSystemManagementService' },
    input: `<p:AffectedSystem>${inner}</p:AffectedSystem>`,
  })
const pull = (input: string): string => makeRequest('Pull', 'Msvm_ComputerSystem', { context: 'uuid:1', input })
const associated = (more: string): string =>
  filter(ASSOCIATION_FILTER, `<b:AssociatedInstances><b:Object>${EPR}</b:Object>${more}</b:AssociatedInstances>`, {
    resourceUri: STAR,
  })
const selected = (name: string, value: string): string =>
  filter(SELECTOR_FILTER, `<w:SelectorSet><w:Selector Name="${name}">${value}</w:Selector></w:SelectorSet>`)
const period = (time: string): string =>
  call(`<p:RequestedState>2</p:RequestedState><p:TimeoutPeriod>${time}</p:TimeoutPeriod>`)

const FRAGMENT = '<w:FragmentTransfer s:mustUnderstand="true">Name</w:FragmentTransfer>'
const NO_FRAGMENTS = 'w:UnsupportedFeature 2150858896 FragmentLevelAccess'
const FILTER_XML = 'n:CannotProcessFilter 2150859015'
const NO_FILTER = 'n:CannotProcessFilter 2150858778'

/** What is well-formed, has all that it needs, and says something besides that no schema knows. */
export const SHAPES: readonly Wrong[] = [
  {
    what: 'has its body before its header',
    request: GOOD.replace(/(<s:Header>.*<\/s:Header>)(<s:Body>.*<\/s:Body>)/, '$2$1'),
    fault: SCHEMA,
  },
  {
    what: 'has a third part',
    request: GOOD.replace('</s:Envelope>', '<x xmlns="urn:x"/></s:Envelope>'),
    fault: SCHEMA,
  },
  { what: 'has text beside its body', request: GOOD.replace('<s:Body>', 'x<s:Body>'), fault: SCHEMA },
  { what: 'has text beside its headers', request: GOOD.replace('<s:Header>', '<s:Header>x'), fault: SCHEMA },
  { what: 'has text for a body', request: GOOD.replace('<s:Body>', '<s:Body>x'), fault: SCHEMA },
  {
    what: 'has a header of which nobody can say whether it must be understood',
    request: get({ headers: '<x:Any xmlns:x="urn:x" s:mustUnderstand="maybe"/>' }),
    fault: SCHEMA,
  },
  {
    what: 'has an option without a name',
    request: get({ headers: '<w:OptionSet><w:Option>1</w:Option></w:OptionSet>' }),
    fault: SCHEMA,
  },
  {
    what: 'has something among its options that is none',
    request: get({ headers: '<w:OptionSet><w:Other Name="x"/></w:OptionSet>' }),
    fault: SCHEMA,
  },
  {
    what: 'has text among its selectors',
    request: GOOD.replace('<w:SelectorSet>', '<w:SelectorSet>x'),
    fault: SCHEMA,
  },
  {
    what: 'has text beside the reference in a selector',
    request: GOOD.replace(/>[^<]*<\/w:Selector>/, `>x<a:EndpointReference>${EPR}</a:EndpointReference></w:Selector>`),
    fault: SCHEMA,
  },
  {
    what: 'has a selector that looks as if it were of the system',
    request: get({ selectors: { ...VM, __class: 'Msvm_ComputerSystem' } }),
    fault: 'w:InvalidSelectors 2150858843 UnexpectedSelectors',
  },
  { what: 'enumerates fragments', request: enumerate({ headers: FRAGMENT }), fault: NO_FRAGMENTS },
  {
    what: 'calls for a fragment',
    request: call('<p:RequestedState>2</p:RequestedState>').replace('<w:SelectorSet>', `${FRAGMENT}<w:SelectorSet>`),
    fault: NO_FRAGMENTS,
  },
  {
    what: 'names its enumeration mode twice',
    request: enumerate({ input: '<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>'.repeat(2) }),
    fault: SCHEMA,
  },
  { what: 'has text in its Enumerate', request: enumerate({ input: 'x' }), fault: SCHEMA },
  {
    what: 'says how its enumeration is to be optimized',
    request: enumerate({ input: '<w:OptimizeEnumeration>much</w:OptimizeEnumeration>' }),
    fault: SCHEMA,
  },
  { what: 'pulls something unknown', request: pull('<n:Most>1</n:Most>'), fault: SCHEMA },
  {
    what: 'pulls by two contexts',
    request: pull('<n:EnumerationContext>uuid:2</n:EnumerationContext>'),
    fault: SCHEMA,
  },
  { what: 'pulls with text', request: pull('x'), fault: SCHEMA },
  {
    what: 'releases two contexts',
    request: makeRequest('Release', 'Msvm_ComputerSystem', {
      context: 'uuid:1',
      input: '<n:EnumerationContext>uuid:2</n:EnumerationContext>',
    }),
    fault: SCHEMA,
  },
]

/** Filters, references and values that were passed over, or taken for less than they say. */
export const VALUES: readonly Wrong[] = [
  { what: 'selects by nothing', request: filter(SELECTOR_FILTER, '<w:SelectorSet/>'), fault: FILTER_XML },
  {
    what: 'selects by more than a set of selectors',
    request: filter(SELECTOR_FILTER, '<w:SelectorSet><w:Selector Name="Name">a</w:Selector></w:SelectorSet><w:Other/>'),
    fault: FILTER_XML,
  },
  { what: 'selects by a number that is none', request: selected('EnabledState', 'yes'), fault: NO_FILTER },
  { what: 'selects by an array', request: selected('OperationalStatus', '2'), fault: NO_FILTER },
  { what: 'asks for associations by something unknown', request: associated('<b:Most/>'), fault: FILTER_XML },
  {
    what: 'asks for associations by something of another namespace',
    request: associated('<w:Role>Dependent</w:Role>'),
    fault: FILTER_XML,
  },
  {
    what: 'asks for associations by two roles',
    request: associated('<b:Role>Dependent</b:Role><b:Role>Antecedent</b:Role>'),
    fault: FILTER_XML,
  },
  { what: 'refers to two things at once', request: destroy(EPR + EPR), fault: SCHEMA },
  {
    what: 'refers to two resources at once',
    request: destroy(EPR.replace('<w:ResourceURI>', '<w:ResourceURI>x</w:ResourceURI><w:ResourceURI>')),
    fault: SCHEMA,
  },
  {
    what: 'refers by two sets of selectors',
    request: destroy(EPR.replace(/(<w:SelectorSet>.*<\/w:SelectorSet>)/, '$1$1')),
    fault: SCHEMA,
  },
  { what: 'refers in text and in elements', request: destroy(`Msvm_ComputerSystem${EPR}`), fault: SCHEMA },
  {
    what: 'has a value that is nil',
    request: call('<p:RequestedState xsi:nil="true">2</p:RequestedState>'),
    fault: SCHEMA,
  },
  {
    what: 'has a value that may be nil',
    request: call('<p:RequestedState xsi:nil="maybe">2</p:RequestedState>'),
    fault: SCHEMA,
  },
  {
    what: 'has a word for a truth value',
    request: makeRequest('InitiateShutdown', 'Msvm_ShutdownComponent', { input: '<p:Force>yes</p:Force>' }),
    fault: SCHEMA,
  },
  {
    what: 'has a point in time for an interval',
    request: period('<cim:Interval>2026-01-01T00:00:00Z</cim:Interval>'),
    fault: SCHEMA,
  },
  {
    what: 'has an interval for a point in time',
    request: period('<cim:Datetime>PT1M</cim:Datetime>'),
    fault: SCHEMA,
  },
  { what: 'has a time that is none of them', request: period('<cim:Moment>PT1M</cim:Moment>'), fault: SCHEMA },
  { what: 'has text beside a time', request: period('soon<cim:Interval>PT1M</cim:Interval>'), fault: SCHEMA },
]
