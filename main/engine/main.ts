import { statSync } from "node:fs"
import { join } from "node:path"
import {
  type AlternativesRequest,
  type EngineEvent,
  EngineRequest,
  type GenerateRequest,
  type LoadRequest,
  type ScoreRequest,
} from "../../contract/engine.ts"
import type { Device } from "../../contract/pack.ts"
import { isGuided } from "../../contract/sampling.ts"
import { PackError } from "../packs/error.ts"
import { CacheError } from "./compile/compile.ts"
import { Constraint } from "./decode/constraint.ts"
import { Decoder, decodeKinds } from "./decode/decoder.ts"
import { Model } from "./decode/model.ts"
import { StoppingCriteria } from "./decode/stopping.ts"
import { likeliest } from "./jobs/alternatives.ts"
import { Jobs } from "./jobs/jobs.ts"
import { type Loaded, Models } from "./jobs/models.ts"
import { probe } from "./jobs/probe.ts"
import { fastestThreads } from "./jobs/threads.ts"

/**
 * The engine's own process: loads packs, decodes, scores. It speaks the messages of contract/engine.ts with whoever
 * spawned it, through Node's IPC channel or Electron's parent port. Requests run one after the other.
 */

type ParentPort = { on(event: "message", f: (e: { data: unknown }) => void): void; postMessage(message: unknown): void }
const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort
const send = (event: EngineEvent) => {
  if (parentPort) parentPort.postMessage(event)
  // Without a host there is nobody to work for.
  else process.send?.(event, undefined, undefined, (error) => error && process.exit(0))
}
const cache = process.env.MEGABYTE_CACHE
if (!cache) throw new Error("MEGABYTE_CACHE is not set")

const models = new Models()
const cancelled = new Set<number>()
const jobs = new Jobs()

/** Lets messages in: a run blocks this process's event loop, so a cancel is seen between two patches. */
const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

type Request = GenerateRequest | ScoreRequest | LoadRequest | AlternativesRequest

async function load(request: Request): Promise<Loaded> {
  const { id, pack, threads, device } = request
  // The CPU that goes on for a GPU has no fp16.
  const precision = gpuFailed && request.precision === "fp16" ? "int8" : request.precision
  // A pack that was replaced in its place is another pack.
  const file = statSync(join(pack, "weights.safetensors"), { throwIfNoEntry: false })
  const key = JSON.stringify([pack, file?.mtimeMs, precision, threads, device])
  const known = models.use(key)
  if (known) {
    if ("sampling" in request) await readyToDecode(known.model, request)
    return known
  }
  send({ type: "loading", id })
  const start = performance.now()
  await models.makeRoom(file?.size ?? 0)
  const model = Model.load(pack, precision, threads, cache as string, device)
  if ("sampling" in request) await readyToDecode(model, request)
  send({ type: "loaded", id, loadMs: performance.now() - start })
  return models.add({ key, model, dropped: 0, bytes: file?.size ?? 0 })
}

/** Makes the sessions that read and decode, so that the first patch does not wait for them. */
async function readyToDecode(model: Model, { device, sampling }: GenerateRequest | LoadRequest): Promise<void> {
  if (device === "cpu" && !model.decodeThreads) model.decodeThreads = await fastestThreads(model, cache as string)
  for (const kind of decodeKinds(model.config, sampling)) await model.session(kind)
  await model.session("prefill")
}

/** Once the GPU has failed, this process leaves it alone. */
let gpuFailed = false

/** What is done on a device and, where that fails, on the CPU after a word about it. */
async function withCpuFallback<T>(
  request: Request,
  work: (device: Device) => Promise<T>,
  onCpu = () => work("cpu"),
): Promise<T> {
  const device = gpuFailed ? "cpu" : request.device
  try {
    return await work(device)
  } catch (error) {
    if (device === "cpu" || isForPerson(error)) throw error
    gpuFailed = true
    await models.clear()
    const message = `The GPU failed (${firstLine(error)}); nothing is lost, the processor goes on from there.`
    send({ type: "fallback", id: request.id, message })
    return onCpu()
  }
}

async function generate(request: GenerateRequest): Promise<void> {
  const { id, prompt, variations, sampling, seed, length, cutHeader = new Uint8Array() } = request
  const open = isGuided(sampling) ? request.open : undefined
  const isCancelled = () => cancelled.has(id)
  const begin = async (device: Device) => {
    const state = await load({ ...request, device })
    const { patch, context, notes } = state.model.config
    const began = performance.now()
    const before = state.decoder
    // Of a long prompt the end that the model was trained to look at is read, by whole patches or bars; never more where
    // more is known: a run does not depend on what ran before.
    const grid = patch * (notes?.bar ?? 1)
    const first = Math.min(request.began ?? prompt.length, prompt.length)
    const dropped = Math.max(0, Math.ceil((first - context * patch) / grid)) * grid
    const cut = (head: Uint8Array) => Buffer.concat([head, prompt.subarray(head.length + dropped)])
    const used = dropped ? cut(cutHeader) : prompt
    const opened = open && (dropped ? cut(open.cutHeader) : cut(open.header))
    const goesOn = first < prompt.length && variations === 1
    const { decoder, reused } = await (goesOn
      ? Decoder.goOn(state.model, used, first - dropped, sampling, before, isCancelled, opened)
      : Decoder.start(state.model, used, variations, before, isCancelled, opened))
    if (before !== decoder) before?.release()
    Object.assign(state, { decoder, dropped })
    send({ type: "started", id, used: used.length, reused, prefillMs: performance.now() - began })
    return { decoder, used, dropped }
  }
  const start = await withCpuFallback(request, begin)
  const { used, dropped } = start
  let { decoder } = start
  const { patch } = decoder.config

  const decodeBegan = performance.now()
  const done = (reason: "length" | "end" | "cancelled") =>
    send({ type: "done", id, reason, decodeMs: performance.now() - decodeBegan })
  const rest = used.subarray(Math.floor(used.length / patch) * patch)
  let forced: Uint8Array | undefined = rest.length ? rest : undefined
  const criteria = Array.from({ length: variations }, () => new StoppingCriteria(length, request.unit, prompt))
  const constraints = Array.from(
    { length: variations },
    () => new Constraint(request.barred, request.isText ? prompt : undefined),
  )
  const ended = new Array<boolean>(variations).fill(false)
  while (!criteria.every((criterion) => criterion.isDone)) {
    await yieldToEventLoop()
    if (isCancelled()) return void done("cancelled")
    const index = decoder.nextPatch
    const known = forced ? Array.from({ length: variations }, () => forced as Uint8Array) : undefined
    const skip = forced?.length ?? 0
    const parts = await withCpuFallback(
      request,
      () => decoder.step(sampling, seed, known, dropped, constraints),
      async () => {
        const state = await load({ ...request, device: "cpu" })
        decoder = await decoder.resumeOn(state.model)
        Object.assign(state, { decoder, dropped })
        return decoder.step(sampling, seed, known, dropped, constraints)
      },
    )
    forced = undefined
    const fresh = parts.map((part, b) => {
      const criterion = criteria[b] as StoppingCriteria
      let count = criterion.take(part.bytes.subarray(skip))
      const marked = request.stopAt === undefined ? -1 : part.bytes.subarray(skip, skip + count).indexOf(request.stopAt)
      const stop = marked < 0 && part.end !== undefined && part.end < skip + count ? part.end - skip : marked
      if (stop >= 0) {
        count = stop
        ended[b] = true
        criterion.end()
      }
      const cut = <T extends Uint8Array | Float32Array>(a: T) => a.slice(skip, skip + count) as T
      return { bytes: cut(part.bytes), logprob: cut(part.logprob), entropy: cut(part.entropy) }
    })
    send({ type: "patch", id, index: index + dropped / patch, parts: fresh })
  }
  done(ended.every(Boolean) ? "end" : "length")
}

async function score(request: ScoreRequest): Promise<void> {
  const { id, bytes } = request
  const { logprob, entropy, start } = await withCpuFallback(request, async (device) => {
    const { model } = await load({ ...request, device })
    const start = performance.now()
    const scored = await Decoder.score(model, bytes, async (done) => {
      send({ type: "progress", id, bytes: done })
      await yieldToEventLoop()
      return !cancelled.has(id)
    })
    return { ...scored, start }
  })
  send({ type: "scored", id, logprob: logprob.slice(), entropy: entropy.slice(), scoreMs: performance.now() - start })
}

async function alternatives(request: AlternativesRequest): Promise<void> {
  const { id, bytes, count } = request
  const found = await withCpuFallback(request, async (device) => {
    const { model } = await load({ ...request, device })
    const { patch, context } = model.config
    const dropped = Math.max(0, Math.ceil((bytes.length - context * patch) / patch)) * patch
    return likeliest(await Decoder.lastLogits(model, bytes.subarray(dropped)), count)
  })
  send({ type: "alternatives", id, ...found })
}

async function makeReady(request: LoadRequest): Promise<void> {
  await withCpuFallback(request, (device) => load({ ...request, device }))
  send({ type: "ready", id: request.id })
}

function receive(message: unknown): void {
  const parsed = EngineRequest.safeParse(message)
  if (!parsed.success) {
    const id = (message as { id?: unknown })?.id
    const why = parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")
    send({ type: "error", id: typeof id === "number" ? id : -1, message: `The request was not valid (${why}).` })
    return
  }
  const request = parsed.data
  if (request.type === "cancel") {
    cancelled.add(request.id)
    return
  }
  const work = async () => {
    try {
      await answer(request)
    } catch (error) {
      models.forgetDecoders()
      const message = request.type === "probe" ? firstLine(error) : lineFor(error)
      send({ type: "error", id: request.id, message })
    }
    cancelled.delete(request.id)
  }
  // What a person waits for goes before what is only made ready.
  jobs.add(work, request.type === "load")
}

async function answer(request: Exclude<EngineRequest, { type: "cancel" }>): Promise<void> {
  switch (request.type) {
    case "probe":
      return send({ type: "probed", id: request.id, msPerPatch: await probe(request, cache as string) })
    case "generate":
      return generate(request)
    case "score":
      return score(request)
    case "load":
      return makeReady(request)
    case "alternatives":
      return alternatives(request)
  }
}

const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? ""

/** Whether an error's message is meant for a person, whatever the device. */
const isForPerson = (error: unknown): error is Error => error instanceof PackError || error instanceof CacheError

function lineFor(error: unknown): string {
  if (isForPerson(error)) return error.message
  return `The engine failed (${firstLine(error)}); what was generated so far is kept.`
}

// Whoever waits is told that this process lives; a run keeps it silent for one patch at most.
setInterval(() => send({ type: "beat", id: -1 }), 1000).unref()

if (parentPort) parentPort.on("message", (e) => receive(e.data))
else {
  process.on("message", receive)
  process.on("disconnect", () => process.exit(0))
}
