/** A feature that ports or switches can have. */
export interface Feature {
  readonly className: string
  /** What feature settings are known by: the UUID qualifier of their class. */
  readonly id: string
  readonly of: 'port' | 'switch'
  readonly name: string
  readonly localName: string
  readonly description: string
  readonly since?: number
  /** Whether one port can have several. */
  readonly isRepeatable?: boolean
  /** What numbers may be. */
  readonly ranges?: Readonly<Record<string, readonly [least: number, most: number]>>
}

const VLAN_MAX = 4094
const SUBNET_MAX = 0xff_ffff

/**
 * Source: the UUID and DisplayName qualifiers of the classes, Microsoft Learn; the ranges are those of the ValueMaps and
 * of IEEE 802.1Q.
 */
export const FEATURES = {
  vlan: {
    className: 'Msvm_EthernetSwitchPortVlanSettingData',
    id: '952C5004-4465-451C-8CB8-FA9AB382B773',
    of: 'port',
    name: 'Ethernet Switch Port VLAN Settings',
    localName: 'イーサネット スイッチ ポート VLAN 設定',
    description: 'Represents the vlan setting data.',
    ranges: {
      OperationMode: [0, 3],
      AccessVlanId: [0, VLAN_MAX],
      NativeVlanId: [0, VLAN_MAX],
      PrimaryVlanId: [0, VLAN_MAX],
      SecondaryVlanId: [0, VLAN_MAX],
      PvlanMode: [0, 3],
      TrunkVlanIdArray: [1, VLAN_MAX],
      PruneVlanIdArray: [1, VLAN_MAX],
      SecondaryVlanIdArray: [1, VLAN_MAX],
    },
  },
  bandwidth: {
    className: 'Msvm_EthernetSwitchPortBandwidthSettingData',
    id: '24AD3CE1-69BD-4978-B2AC-DAAD389D699C',
    of: 'port',
    name: 'Ethernet Switch Port Bandwidth Settings',
    localName: 'イーサネット スイッチ ポート帯域幅設定',
    description: 'Represents the port bandwidth settings.',
    ranges: { Weight: [0, 100] },
  },
  security: {
    className: 'Msvm_EthernetSwitchPortSecuritySettingData',
    id: '776E0BA7-94A1-41C8-8F28-951F524251B5',
    of: 'port',
    name: 'Ethernet Switch Port Security Settings',
    localName: 'イーサネット スイッチ ポート セキュリティ設定',
    description: 'Represents the port security settings.',
    ranges: { MonitorMode: [0, 2], VirtualSubnetId: [0, SUBNET_MAX] },
  },
  offload: {
    className: 'Msvm_EthernetSwitchPortOffloadSettingData',
    id: 'C885BFD1-ABB7-418F-8163-9F379C9F7166',
    of: 'port',
    name: 'Ethernet Switch Port Offload Settings',
    localName: 'イーサネット スイッチ ポート オフロード設定',
    description: 'Represents the port offload settings.',
  },
  profile: {
    className: 'Msvm_EthernetSwitchPortProfileSettingData',
    id: '9940CD46-8B06-43BB-B9D5-93D50381FD56',
    of: 'port',
    name: 'Ethernet Switch Port Profile Settings',
    localName: 'イーサネット スイッチ ポート プロファイル設定',
    description: 'Represents the port profile settings.',
  },
  acl: {
    className: 'Msvm_EthernetSwitchPortAclSettingData',
    id: '998BEF4A-5D55-492A-9C43-8B2F5EAE9F2B',
    of: 'port',
    name: 'Ethernet Switch Port ACL Settings',
    localName: 'イーサネット スイッチ ポート ACL 設定',
    description: 'Represents the port access control settings.',
    isRepeatable: true,
    ranges: { Action: [0, 3], AclType: [0, 3], Direction: [0, 2] },
  },
  isolation: {
    className: 'Msvm_EthernetSwitchPortIsolationSettingData',
    id: '83AF2CCB-72C9-4479-A285-94E58A98CAA6',
    of: 'port',
    name: 'Ethernet Switch Port Isolation Settings',
    localName: 'イーサネット スイッチ ポート分離設定',
    description: 'Represents the port isolation settings.',
    since: 9600,
    ranges: { IsolationMode: [0, 3], DefaultIsolationId: [0, SUBNET_MAX] },
  },
  extendedAcl: {
    className: 'Msvm_EthernetSwitchPortExtendedAclSettingData',
    id: 'CD168FF0-A16D-4514-B7B5-8BBBA791A928',
    of: 'port',
    name: 'Ethernet Switch Port Extended ACL Settings',
    localName: 'イーサネット スイッチ ポート拡張 ACL 設定',
    description: 'Represents the extended port access control settings.',
    since: 9600,
    isRepeatable: true,
    ranges: { Action: [1, 2], Direction: [1, 2] },
  },
  routingDomain: {
    className: 'Msvm_EthernetSwitchPortRoutingDomainSettingData',
    id: 'BF874DF0-F729-4312-A0FA-194271B88990',
    of: 'port',
    name: 'Ethernet Switch Port Routing Domain Settings',
    localName: 'イーサネット スイッチ ポート ルーティング ドメイン設定',
    description: 'Represents the routing domain settings.',
    since: 9600,
    isRepeatable: true,
  },
  switchBandwidth: {
    className: 'Msvm_VirtualEthernetSwitchBandwidthSettingData',
    id: '3EB2B8E8-4ABF-4DBF-9071-16DD47481FBE',
    of: 'switch',
    name: 'Ethernet Switch Bandwidth Settings',
    localName: 'イーサネット スイッチ帯域幅設定',
    description: 'Represents the switch bandwidth settings.',
  },
} as const satisfies Readonly<Record<string, Feature>>

/** The features that a host of this build knows. */
export function featuresOf(build: number): Feature[] {
  return Object.values<Feature>(FEATURES).filter(({ since = 0 }) => build >= since)
}

/** By the class of its settings, whatever the case. */
export function featureNamed(className: string, build: number): Feature | undefined {
  return featuresOf(build).find(feature => feature.className.toLowerCase() === className.toLowerCase())
}
