import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { providerOf, type Row, rowOf } from '../v2/rows.ts'

const CLASS = 'Win32_Service'

interface Program {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly path: string
  readonly account: string
  readonly processId: number
}

/** The services that clients look for: what manages the machines, and what they speak to. */
const PROGRAMS: readonly Program[] = [
  {
    name: 'vmms',
    title: 'Hyper-V Virtual Machine Management',
    description: 'Management service for Hyper-V, provides service to run multiple virtual machines.',
    path: 'C:\\Windows\\system32\\vmms.exe',
    account: 'LocalSystem',
    processId: 1984,
  },
  {
    name: 'WinRM',
    title: 'Windows Remote Management (WS-Management)',
    description: 'Windows Remote Management (WinRM) service implements the WS-Management protocol.',
    path: 'C:\\Windows\\System32\\svchost.exe -k NetworkService',
    account: 'NT AUTHORITY\\NetworkService',
    processId: 1012,
  },
]

/** Services of Windows, all of which run. */
export function services(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: { [CLASS]: { list: () => PROGRAMS.map(program => rowOf(schema, CLASS, serviceRow(host, program))) } },
  })
}

function serviceRow(host: Host, { name, title, description, path, account, processId }: Program): Row {
  return {
    AcceptPause: false,
    AcceptStop: true,
    Caption: title,
    CheckPoint: 0,
    CreationClassName: CLASS,
    DelayedAutoStart: false,
    Description: description,
    DesktopInteract: false,
    DisplayName: title,
    ErrorControl: 'Normal',
    ExitCode: 0,
    Name: name,
    PathName: path,
    ProcessId: processId,
    ServiceSpecificExitCode: 0,
    ServiceType: 'Own Process',
    StartMode: 'Auto',
    StartName: account,
    Started: true,
    State: 'Running',
    Status: 'OK',
    SystemCreationClassName: 'Win32_ComputerSystem',
    SystemName: host.state.name,
    TagId: 0,
    WaitHint: 0,
  }
}
