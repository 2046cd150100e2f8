/** A Windows that can be simulated. */
export interface Windows {
  readonly build: number
  /** Win32_OperatingSystem.Version. */
  readonly version: string
  readonly caption: string
  /** Win32_OperatingSystem.CSDVersion; undefined where there is none. */
  readonly servicePack?: string
  /** Msvm_VirtualSystemSettingData.Version of a new machine. */
  readonly configurationVersion: string
  readonly hasV1: boolean
  readonly hasV2: boolean
}

/**
 * The builds that differ in what they show. Source: Msvm_VirtualSystemSettingData.Version was read on Server 2025, the
 * others come from the matrix of supported configuration versions; those of 7601 and 9200 are inferred.
 */
const WINDOWS: readonly Windows[] = [
  {
    build: 7601,
    version: '6.1.7601',
    caption: 'Microsoft Windows Server 2008 R2 Standard ',
    servicePack: 'Service Pack 1',
    configurationVersion: '3.0',
    hasV1: true,
    hasV2: false,
  },
  server(9200, '6.2.9200', '2012', '4.0', true),
  server(9600, '6.3.9600', '2012 R2', '5.0'),
  server(14393, '10.0.14393', '2016', '8.0'),
  server(17763, '10.0.17763', '2019', '9.0'),
  server(20348, '10.0.20348', '2022', '10.0'),
  server(26100, '10.0.26100', '2025', '12.0'),
]

/** The builds that can be simulated, oldest first. */
export const BUILDS: readonly number[] = WINDOWS.map(({ build }) => build)

/** Undefined for a build that cannot be simulated. */
export function windowsOf(build: number): Windows | undefined {
  return WINDOWS.find(windows => windows.build === build)
}

function server(build: number, version: string, year: string, configurationVersion: string, hasV1 = false): Windows {
  const caption = `Microsoft Windows Server ${year} Standard`
  return { build, version, caption, configurationVersion, hasV1, hasV2: true }
}
