import type { FaultName } from './fault-table.ts'

/** A sentence in each of the languages that a host can be installed in. */
export interface Sentence {
  readonly en: string
  readonly ja: string
}

/**
 * What faults say. Texts that were recorded from real hosts are as these say them, down to the blanks at the end; the
 * others are in words of our own, since no client may depend on them.
 */
export const FAULT_TEXTS: Readonly<Record<FaultName, Sentence>> = {
  'must-understand': {
    en: 'A header that has to be understood is not known here.',
    ja: '必ず理解すべきヘッダーを認識できません。',
  },
  'version-mismatch': {
    en: 'This version of SOAP is not supported.',
    ja: 'この SOAP バージョンはサポートされていません。',
  },
  'header-required': {
    en: 'The request lacks a SOAP header that is required.',
    ja: '要求に必要な SOAP ヘッダーがありません。',
  },
  'header-invalid': {
    en: 'The request contains a SOAP header that is not valid.',
    ja: '要求に無効な SOAP ヘッダーが含まれています。',
  },
  'timeout-invalid': {
    en: 'The timeout in the request is not valid.',
    ja: '要求のタイムアウトが無効です。',
  },
  'action-not-supported': {
    en: 'The action of the request is not supported.',
    ja: '要求のアクションはサポートされていません。',
  },
  'resource-uri': {
    en: 'The resource URI is missing or has a wrong format.',
    ja: 'リソース URI がないか、形式が正しくありません。',
  },
  'non-dmtf-class': {
    en: 'A resource URI of DMTF was used for a class that is not of DMTF.',
    ja: 'DMTF 以外のクラスに DMTF リソース URI が使用されました。',
  },
  'wql-class': {
    en: "With a WQL filter the resource URI cannot contain keys, and its class name must be '*'.",
    ja: "WQL フィルターを使用する場合、リソース URI にキーを含めることはできず、クラス名は '*' でなければなりません。",
  },
  'invalid-xml': {
    en: 'The XML of the request is not valid.',
    ja: '要求の XML が無効です。',
  },
  'schema-validation': {
    en: 'The SOAP XML of the request does not match its schema.',
    ja: '要求の SOAP XML がスキーマと一致しません。',
  },
  'character-set': {
    en: 'The character set of the request is not supported; use UTF-8 or UTF-16.',
    ja: '要求の文字セットはサポートされていません。UTF-8 または UTF-16 を使用してください。',
  },
  'request-too-large': {
    en: 'The request is larger than this service allows.',
    ja: '要求がサービスの上限を超えています。',
  },
  'envelope-size-small': {
    en: 'The envelope size in the request is too small.',
    ja: '要求のエンベロープ サイズが小さすぎます。',
  },
  'answer-too-large': {
    en: 'The response is larger than the envelope size in the request.',
    ja: '応答が要求のエンベロープ サイズを超えています。',
  },
  'answer-over-limit': {
    en: 'The response is larger than this service allows.',
    ja: '応答がサービスの上限を超えています。',
  },
  'unreportable-success': {
    en: 'The operation succeeded, but its result is too large to send.',
    ja: '操作は成功しましたが、結果が大きすぎて送信できません。',
  },
  'selector-limit': {
    en: 'The request contains too many selectors.',
    ja: '要求のセレクターが多すぎます。',
  },
  'option-limit': {
    en: 'The request contains too many options.',
    ja: '要求のオプションが多すぎます。',
  },
  'options-not-supported': {
    en: 'An option that must be complied with is not supported.',
    ja: '準拠が必須のオプションはサポートされていません。',
  },
  'locale-not-supported': {
    en: 'The locale can be asked for as a hint only.',
    ja: 'ロケールはヒントとしてのみ指定できます。',
  },
  'addressing-mode': {
    en: 'Only the anonymous address is supported for replies.',
    ja: '応答のアドレスは匿名アドレスのみサポートされています。',
  },
  'expiration-time': {
    en: 'An expiration time is not supported.',
    ja: '有効期限はサポートされていません。',
  },
  'enumeration-mode': {
    en: 'This enumeration mode is not supported.',
    ja: 'この列挙モードはサポートされていません。',
  },
  'polymorphism-mode': {
    en: 'This polymorphism mode is not supported.',
    ja: 'このポリモーフィズム モードはサポートされていません。',
  },
  'fragment-dialect': {
    en: 'This dialect of fragment paths is not supported.',
    ja: 'このフラグメント パス言語はサポートされていません。',
  },
  'fragment-path': {
    en: 'The fragment path is not valid.',
    ja: 'フラグメント パスが無効です。',
  },
  'filter-dialect': {
    en: 'This filter dialect is not supported.',
    ja: 'このフィルター言語はサポートされていません。',
  },
  'filter-xml': {
    en: 'The XML of the filter is not valid.',
    ja: 'フィルターの XML が無効です。',
  },
  'enumerate-keys': {
    en: 'The resource URI of an enumeration cannot contain keys.',
    ja: '列挙操作のリソース URI にキーを含めることはできません。',
  },
  'namespace-selector': {
    en: 'The resource URI and the __cimnamespace selector name different namespaces.',
    ja: 'リソース URI と __cimnamespace セレクターの名前空間が異なります。',
  },
  'selectors-missing': {
    en: 'The request does not contain all selectors that are required.',
    ja: '要求に必要なセレクターが含まれていません。',
  },
  'selectors-unexpected': {
    en: 'The request contains a selector that the resource does not have.',
    ja: '要求にリソースにないセレクターが含まれています。',
  },
  'selectors-type': {
    en: 'The value of a selector is of the wrong type.',
    ja: 'セレクターの値の型が正しくありません。',
  },
  'selectors-ambiguous': {
    en: 'The selectors are ambiguous.',
    ja: 'セレクターがあいまいです。',
  },
  'selectors-duplicate': {
    en: 'The request contains the same selector twice.',
    ja: '要求に重複するセレクターが含まれています。',
  },
  'no-singleton': {
    en: 'The class is not a singleton; keys are required.',
    ja: 'クラスはシングルトンではないため、キーが必要です。',
  },
  'target-selectors': {
    en: 'An endpoint reference in the request has selectors that are not valid.',
    ja: '要求のエンドポイント参照のセレクターが無効です。',
  },
  'target-uri': {
    en: 'An endpoint reference in the request has a resource URI that is not valid.',
    ja: '要求のエンドポイント参照のリソース URI が無効です。',
  },
  'invalid-context': {
    en: 'The enumeration context is not valid. The enumeration may have ended.',
    ja: '列挙コンテキストが無効です。列挙は終了している可能性があります。',
  },
  'max-time': {
    en: 'The pull got no data within its MaxTime; the enumeration is still valid.',
    ja: 'MaxTime 以内にデータを取得できませんでした。列挙は引き続き有効です。',
  },
  'timed-out': {
    en: 'The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ',
    ja: 'WS-Management サービスは、OperationTimeout で指定された時間内に操作を完了できません。 ',
  },
  'internal-error': {
    en: 'A value from WMI cannot be sent.',
    ja: 'WMI から取得した値を送信できません。',
  },
  'cannot-process-filter': {
    en: 'The data source could not process the filter. The filter might be missing or it might be invalid. Change the filter and try the request again.  ',
    ja: 'データ ソースはフィルターを処理できませんでした。フィルターがないか、無効である可能性があります。 ',
  },
  'unknown-class': {
    en: 'The resource of this URI and these selectors cannot be found.',
    ja: 'リソース URI とセレクターで指定されたリソースが見つかりません。',
  },
  'not-found': {
    en: 'The resource of this URI and these selectors cannot be found.',
    ja: 'リソース URI とセレクターで指定されたリソースが見つかりません。',
  },
  'not-capable': {
    en: 'The WS-Management service cannot process the request. The WMI service reported that the WMI provider could not perform the requested operation. ',
    ja: 'WS-Management サービスは要求を処理できません。WMI プロバイダーは要求された操作を実行できませんでした。 ',
  },
  'provider-failed': {
    en: 'An internal error occurred. ',
    ja: '内部エラーが発生しました。 ',
  },
  'access-denied': {
    en: 'Access is denied. ',
    ja: 'アクセスが拒否されました。 ',
  },
  'too-many-operations': {
    en: 'The maximum number of concurrent operations for this user has been exceeded.',
    ja: 'このユーザーの同時操作の最大数を超えました。',
  },
  busy: {
    en: 'The service is busy with other requests.',
    ja: 'サービスは他の要求を処理しています。',
  },
}
