import { engineProtocol } from "../../contract/engine.ts"
import { CodedError, type Failure } from "../../contract/errors.ts"
import { serveRpc } from "../../contract/rpc.ts"
import { PackError } from "../packs/error.ts"
import { parentChannel } from "../process/parent.ts"
import { generate } from "./jobs/generate.ts"
import { Jobs } from "./jobs/jobs.ts"
import { firstLine, isForPerson, Loader } from "./jobs/loader.ts"
import { probe } from "./jobs/probe.ts"
import { alternatives, score } from "./jobs/score.ts"

/**
 * The engine's own process: loads packs, decodes, scores. It answers the calls of contract/engine.ts to whoever started
 * it, one after the other.
 */

const cache = process.env.MEGABYTE_CACHE
if (!cache) throw new Error("MEGABYTE_CACHE is not set")

const jobs = new Jobs()
const loader = new Loader(cache)

/** One thing after the other; after an error nothing is known of the decoders any more. */
const run = <T>(work: () => Promise<T>, whenIdle = false): Promise<T> =>
  jobs.run(async () => {
    try {
      return await work()
    } catch (error) {
      loader.forgetDecoders()
      throw error
    }
  }, whenIdle)

const tell = serveRpc(
  parentChannel(),
  engineProtocol,
  {
    generate: (request, call) => run(() => generate(request, call, loader)),
    score: (request, call) => run(() => score(request, call, loader)),
    alternatives: (request, call) => run(() => alternatives(request, call, loader)),
    probe: (request) => run(async () => ({ msPerPatch: await probe(request, cache) })),
    // What a person waits for goes before what is only made ready.
    load: (request, { emit }) =>
      run(async () => {
        await loader.withCpuFallback(request, emit, (device) => loader.load({ ...request, device }, emit))
      }, true),
  },
  failureOf,
)

function failureOf(error: unknown, method: string): Failure {
  if (error instanceof CodedError) return { code: error.code, message: error.message }
  if (error instanceof PackError) return { code: "pack", message: error.message }
  if (isForPerson(error)) return { code: "system", message: error.message }
  const line = firstLine(error)
  // Why a device does not work is what was asked.
  if (method === "probe") return { code: "refused", message: line }
  return { code: "internal", message: `The engine failed (${line}); what was generated so far is kept.` }
}

// Whoever waits is told that this process lives; a run keeps it silent for one patch at most.
setInterval(() => tell("beat"), 1000).unref()
