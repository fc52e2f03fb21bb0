import { CodedError, type ErrorCode } from "../../contract/errors.ts"
import type { Params, Result } from "../../contract/rpc.ts"
import type { Method, WindowProtocol } from "../../contract/window.ts"
import type { Host } from "../../renderer/store/host.ts"

type Call = { name: string; params: unknown; resolve(value: unknown): void; reject(error: Error): void }

/** A window's host that answers when a test says so. */
export function fakeHost() {
  const calls: Call[] = []
  const waiting: Call[] = []
  const host: Host = {
    call: (name, params) =>
      new Promise((resolve, reject) => {
        const call = { name, params, resolve: resolve as Call["resolve"], reject }
        calls.push(call)
        waiting.push(call)
      }),
  }
  /** The oldest call of that name that has no answer yet. */
  const take = (name: Method): Call => {
    const at = waiting.findIndex((call) => call.name === name)
    const [call] = at < 0 ? [] : waiting.splice(at, 1)
    if (!call) throw new Error(`${name} was not asked for`)
    return call
  }
  return {
    host,
    names: () => calls.map(({ name }) => name),
    asked: <N extends Method>(name: N) =>
      calls.filter((call) => call.name === name).map(({ params }) => params as Params<WindowProtocol, N>),
    answer: <N extends Method>(name: N, result: Result<WindowProtocol, N>) => take(name).resolve(result),
    refuse: (name: Method, message: string, code: ErrorCode = "refused") =>
      take(name).reject(new CodedError(code, message)),
    /** The connection is lost. */
    cut: () => {
      for (const { reject } of waiting.splice(0)) reject(new CodedError("closed", "It was lost."))
    },
  }
}
