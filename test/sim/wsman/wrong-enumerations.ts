import { makeRequest, reference } from './requests.ts'
import {
  ASSOCIATION_FILTER,
  call,
  enumerate,
  filter,
  SCHEMA,
  SELECTOR_FILTER,
  STAR,
  UNREACHABLE,
  VM,
  WQL,
  type Wrong,
} from './wrong.ts'

export const ENUMERATIONS: readonly Wrong[] = [
  {
    what: 'enumerates any class without a filter',
    request: enumerate({ resourceUri: STAR }),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
  {
    what: 'enumerates with keys',
    request: enumerate({ selectors: VM }),
    fault: 'w:InvalidSelectors 2150859016 UnexpectedSelectors',
  },
  {
    what: 'queries a class by its URI',
    request: filter(WQL, 'SELECT * FROM Msvm_ComputerSystem'),
    fault: `${UNREACHABLE} 2150859003 InvalidResourceURI`,
  },
  {
    what: 'queries with keys',
    request: filter(WQL, 'SELECT * FROM Msvm_ComputerSystem', { resourceUri: STAR, selectors: VM }),
    fault: `${UNREACHABLE} 2150859003 InvalidResourceURI`,
  },
  {
    what: 'queries in no WQL',
    request: enumerate({ wql: 'SELECT COUNT(*) FROM Msvm_ComputerSystem' }),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  { what: 'queries nothing', request: enumerate({ wql: ' ' }), fault: 'n:CannotProcessFilter 2150858778' },
  {
    what: 'queries a class that is not there',
    request: enumerate({ wql: 'SELECT * FROM Msvm_Nothing' }),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  {
    what: 'queries a property that is not there',
    request: enumerate({ wql: 'SELECT * FROM Msvm_ComputerSystem WHERE Nothing = 1' }),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  {
    what: 'queries a namespace that is not there',
    request: enumerate({ namespace: 'root/virtualization', wql: 'SELECT * FROM Msvm_ComputerSystem' }),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  {
    what: 'queries what is associated with nothing',
    request: enumerate({
      wql: "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='x'}",
    }),
    fault: `${UNREACHABLE} 2147749890`,
  },
  {
    what: 'queries with a polymorphism mode',
    request: enumerate({
      wql: 'SELECT * FROM Msvm_ComputerSystem',
      input: '<b:PolymorphismMode>IncludeSubClassProperties</b:PolymorphismMode>',
    }),
    fault: 'w:UnsupportedFeature 2150859063',
  },
  {
    what: 'has a polymorphism mode that is none',
    request: enumerate({ input: '<b:PolymorphismMode>All</b:PolymorphismMode>' }),
    fault: 'w:UnsupportedFeature 2150859063',
  },
  {
    what: 'has an enumeration mode that is none',
    request: enumerate({ input: '<w:EnumerationMode>constructor</w:EnumerationMode>' }),
    fault: 'w:UnsupportedFeature 2150858886 EnumerationMode',
  },
  {
    what: 'filters in a dialect that is not there',
    request: filter('http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf', 'SELECT * FROM X'),
    fault: 'n:FilterDialectRequestedUnavailable 2150858777',
  },
  {
    what: 'filters in no dialect',
    request: enumerate({ input: '<w:Filter>x</w:Filter>' }),
    fault: 'n:FilterDialectRequestedUnavailable 2150858777',
  },
  {
    what: 'filters twice',
    request: enumerate({ wql: 'SELECT * FROM Msvm_ComputerSystem', input: '<w:Filter Dialect="x"/>' }),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  {
    what: 'filters in WQL by elements',
    request: filter(WQL, '<w:Query/>', { resourceUri: STAR }),
    fault: 'n:CannotProcessFilter 2150859015',
  },
  { what: 'filters by no selectors', request: filter(SELECTOR_FILTER, ''), fault: 'n:CannotProcessFilter 2150859015' },
  {
    what: 'filters by a selector that the class does not have',
    request: filter(SELECTOR_FILTER, '<w:SelectorSet><w:Selector Name="Nothing">1</w:Selector></w:SelectorSet>'),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  {
    what: 'filters by associations of no object',
    request: filter(ASSOCIATION_FILTER, '<b:AssociatedInstances/>', { resourceUri: STAR }),
    fault: 'n:CannotProcessFilter 2150859015',
  },
  {
    what: 'filters by associations at a class',
    request: filter(
      ASSOCIATION_FILTER,
      `<b:AssociatedInstances><b:Object>${reference('Msvm_ComputerSystem', VM)}</b:Object></b:AssociatedInstances>`,
    ),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
  {
    what: 'filters by associations of a class that is not there',
    request: filter(
      ASSOCIATION_FILTER,
      `<b:AssociatedInstances><b:Object>${reference('Msvm_ComputerSystem', VM)}</b:Object><b:ResultClassName>Msvm_Nothing</b:ResultClassName></b:AssociatedInstances>`,
      { resourceUri: STAR },
    ),
    fault: 'n:CannotProcessFilter 2150858778',
  },
  {
    what: 'wants to say when its enumeration ends',
    request: enumerate({ input: '<n:Expires>PT60S</n:Expires>' }),
    fault: 'w:UnsupportedFeature 2150858775 ExpirationTime',
  },
  {
    what: 'enumerates with an element that is not known',
    request: enumerate({ input: '<n:MaxItems>5</n:MaxItems>' }),
    fault: SCHEMA,
  },
  { what: 'enumerates with a body of another kind', request: enumerate({ body: '<n:Pull/>' }), fault: SCHEMA },
  { what: 'pulls without a context', request: makeRequest('Pull', 'X', { body: '<n:Pull/>' }), fault: SCHEMA },
  {
    what: 'pulls with an empty context',
    request: makeRequest('Pull', 'X'),
    fault: 'n:InvalidEnumerationContext 2150858779',
  },
  {
    what: 'pulls with a context that is none',
    request: makeRequest('Pull', 'X', { context: 'uuid:1' }),
    fault: 'n:InvalidEnumerationContext 2150858779',
  },
  { what: 'pulls no items', request: makeRequest('Pull', 'X', { context: 'uuid:1', maxElements: 0 }), fault: SCHEMA },
  {
    what: 'pulls for a time that is none',
    request: makeRequest('Pull', 'X', { context: 'uuid:1', input: '<n:MaxTime>soon</n:MaxTime>' }),
    fault: SCHEMA,
  },
  {
    what: 'releases a context that is none',
    request: makeRequest('Release', 'X', { context: 'uuid:1' }),
    fault: 'n:InvalidEnumerationContext 2150858779',
  },
]

export const CALLS: readonly Wrong[] = [
  {
    what: 'calls a method that is not there',
    request: makeRequest('Explode', 'Msvm_ComputerSystem', { selectors: VM }),
    fault: 'a:ActionNotSupported 2150858771',
  },
  { what: 'calls with a parameter that is not there', request: call('<p:State>2</p:State>'), fault: SCHEMA },
  {
    what: 'calls with a parameter twice',
    request: call('<p:RequestedState>2</p:RequestedState><p:RequestedState>2</p:RequestedState>'),
    fault: SCHEMA,
  },
  {
    what: 'calls with a parameter of a wrong type',
    request: call('<p:RequestedState>on</p:RequestedState>'),
    fault: SCHEMA,
  },
  {
    what: 'calls on an object that is not there',
    request: makeRequest('RequestStateChange', 'Msvm_ComputerSystem', { selectors: { ...VM, Name: 'x' } }),
    fault: `${UNREACHABLE} 2147749890`,
  },
  {
    what: 'calls on any class',
    request: makeRequest('RequestStateChange', '', { resourceUri: STAR }),
    fault: `${UNREACHABLE} 2150858811 InvalidResourceURI`,
  },
]
