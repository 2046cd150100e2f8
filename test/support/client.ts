import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, HttpClient } from './http.ts'
import { asString, asStrings, asStruct, type Struct, type Value } from './value.ts'
import { decodeResponse, encodeCall } from './xml-rpc.ts'

/** The answer of a call. Source: Xen Management API rev 0.2, §1.3.1. */
export type Answer =
  | { readonly status: 'Success'; readonly value: Value }
  | { readonly status: 'Failure'; readonly error: readonly string[] }

/** A client of the API as a program would be one: it knows the wire and nothing of the server's code. */
export class ApiClient {
  readonly http: HttpClient

  constructor(endpoint: Endpoint, connectionsMax = 1) {
    this.http = new HttpClient(endpoint, connectionsMax)
  }

  /** Calls a method with exactly these parameters. Rejects with Fault for a fault. */
  async call(method: string, ...params: readonly Value[]): Promise<Answer> {
    const reply = await this.http.post(encodeCall(method, params))
    assert.equal(reply.status, 200, reply.body)
    return readAnswer(decodeResponse(reply.body))
  }

  /** Logs in and answers the session's own calls. */
  async login(name: string, password: string): Promise<Session> {
    const answer = await this.call('session.login_with_password', name, password)
    assert.equal(answer.status, 'Success', JSON.stringify(answer))
    return new Session(this, asString(answer.status === 'Success' ? answer.value : ''))
  }

  close(): void {
    this.http.close()
  }
}

/** A login: its calls take the session by themselves. */
export class Session {
  readonly client: ApiClient
  readonly ref: string

  constructor(client: ApiClient, ref: string) {
    this.client = client
    this.ref = ref
  }

  /** Calls a method that must succeed; answers its value. */
  async ok(method: string, ...params: readonly Value[]): Promise<Value> {
    const answer = await this.client.call(method, this.ref, ...params)
    if (answer.status === 'Failure') assert.fail(`${method} failed: ${answer.error.join(' ')}`)
    return answer.value
  }

  /** Calls a method that must fail; answers the error, its code first. */
  async fails(method: string, ...params: readonly Value[]): Promise<readonly string[]> {
    const answer = await this.client.call(method, this.ref, ...params)
    if (answer.status === 'Success') assert.fail(`${method} succeeded`)
    return answer.error
  }

  /** Waits for a task that must fail; answers its error, the code first. */
  async taskFails(task: string): Promise<readonly string[]> {
    const TURN_MS = 20
    const TURNS_MAX = 3000
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const { Progress, Result } = asStruct(await this.ok('task.GetStatus', task))
      if (Progress === 100n) {
        const answer = readAnswer(Result ?? '')
        return answer.status === 'Failure' ? answer.error : assert.fail('the task succeeded')
      }
      await sleep(TURN_MS)
    }
    return assert.fail(`task ${task} does not end`)
  }

  /** `ok` where the value is a string. */
  async text(method: string, ...params: readonly Value[]): Promise<string> {
    return asString(await this.ok(method, ...params))
  }

  /** `ok` where the value is a set of strings. */
  async list(method: string, ...params: readonly Value[]): Promise<readonly string[]> {
    return asStrings(await this.ok(method, ...params))
  }
}

/** Reads the struct that every answer is. Throws where it has one member more or less than the draft gives it. */
export function readAnswer(value: Value): Answer {
  const struct: Struct = asStruct(value)
  if (struct['Status'] === 'Success') {
    assert.deepEqual(Object.keys(struct), ['Status', 'Value'])
    return { status: 'Success', value: struct['Value'] ?? '' }
  }
  assert.equal(struct['Status'], 'Failure')
  assert.deepEqual(Object.keys(struct), ['Status', 'ErrorDescription'])
  return { status: 'Failure', error: asStrings(struct['ErrorDescription']) }
}
