import { type EngineProtocol, engineProtocol, type GenerateEvent, type GenerateRequest } from "../../contract/engine.ts"
import { CodedError } from "../../contract/errors.ts"
import { type Handlers, serveRpc } from "../../contract/rpc.ts"
import type { ChildPort } from "../../main/process/child.ts"
import { channelPair } from "./channels.ts"

/** What a fake engine does when it is called; what it is not given never answers. `dies` ends its process. */
export type FakeEngine = (dies: (signal: string) => Promise<never>) => Partial<Handlers<EngineProtocol>>

/** An engine's process that does what a test says. */
export function fakeEngine(engine: FakeEngine): ChildPort & { killed: boolean } {
  const [host, own] = channelPair()
  let exit = (_code: number | null, _signal: string | null) => {}
  const forever = () => new Promise<never>(() => {})
  const dies = (signal: string) => {
    queueMicrotask(() => exit(null, signal))
    return forever()
  }
  const silent = { generate: forever, score: forever, load: forever, alternatives: forever, probe: forever }
  serveRpc(own, engineProtocol, { ...silent, ...engine(dies) }, (error) => ({
    code: error instanceof CodedError ? error.code : "internal",
    message: (error as Error).message,
  }))
  return {
    ...host,
    killed: false,
    onExit: (listener) => {
      exit = listener
    },
    kill() {
      this.killed = true
    },
  }
}

/** The beginning of a run, and a patch of the same or other bytes for each variation. */
export const startedWith = ({ prompt }: GenerateRequest): GenerateEvent => ({
  type: "started",
  used: prompt.length,
  reused: 0,
  prefillMs: 0,
})
export const patchOf = (
  { variations }: GenerateRequest,
  bytesOf: (variation: number) => Uint8Array,
): GenerateEvent => ({
  type: "patch",
  index: 0,
  parts: Array.from({ length: variations }, (_, variation) => {
    const bytes = Uint8Array.from(bytesOf(variation))
    return { bytes, logprob: new Float32Array(bytes.length), entropy: new Float32Array(bytes.length) }
  }),
})
