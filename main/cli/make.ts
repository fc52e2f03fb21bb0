import { Bytes } from "../../contract/bytes.ts"
import type { EngineParams, EngineResult } from "../../contract/engine.ts"
import { outside } from "../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../host/engine/client.ts"
import { media } from "../host/media/index.ts"
import { mayBeRemade, type Output, remade } from "../host/remake.ts"
import { Interrupted } from "./interrupted.ts"
import { assertWritable, writeWhole } from "./output.ts"
import { type Given, type MakingValues, type Plan, planOf } from "./plan.ts"
import { placed, type Target } from "./target.ts"

/** What ends a run early: what was made until then is written. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** A run without its seed and its variations. */
type Request = Omit<EngineParams<"generate">, "seed" | "variations">

/** What one run made, with what was measured. */
type Made = EngineResult<"generate"> & {
  /** One a variation. */
  parts: Bytes[]
  bytes: number
  bitsPerByte: number
  firstPatchMs: number
}

const note = (line: string) => void process.stderr.write(`${line}\n`)

/** Generates after `given` and writes what came, with `given` before it. */
export async function make(given: Given, values: MakingValues, chosen: Target): Promise<void> {
  const plan = planOf(given, values, chosen.pack)
  const { pack, names, request, live } = plan
  const beyond = outside(request.sampling, pack.ranges)
  if (beyond.length) note(`Outside of what the pack ${pack.name} was tried with: ${beyond.join(", ")}.`)
  for (const name of names ?? []) assertWritable(name)
  const signals = new Signals()
  const engine = await placed(chosen)
  const client = new EngineClient(forkEngine(chosen.cache))
  try {
    if (live) process.stdout.write(given.bytes)
    const made = await generate(client, { ...engine, ...request }, plan, given, signals)
    const outputs = await withoutFlaws(client, { ...engine, ...request }, plan, given, made)
    if (names) await write(names, outputs, plan, given)
    if (values.json) printJson(made, outputs, plan)
    else if (live) process.stdout.write("\n")
    else if (!names) print(outputs)
    summarize(made, plan)
  } finally {
    signals.release()
    client.close()
  }
}

/** The signals that end a run, which until one is begun end the program. */
class Signals {
  interrupt = (): void => process.exit(130)
  private readonly received = () => this.interrupt()

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.received)
  }

  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.received)
  }
}

/** Runs all variations at once. @throws Interrupted where a signal came before anything was made */
async function generate(
  client: EngineClient,
  request: Request,
  { seed, variations, header, live }: Plan,
  given: Given,
  signals: Signals,
): Promise<Made> {
  const parts = Array.from({ length: variations }, () => new Bytes())
  let [bytes, nats, firstPatchMs] = [0, 0, 0]
  const began = performance.now()
  const { length } = given.bytes
  const run = client.generate(
    { ...request, variations, seed },
    {
      started: ({ used }) => {
        if (used < request.prompt.length)
          note(`The prompt is longer than the model's context: its last ${used - header} of ${length} bytes are used.`)
      },
      fallback: note,
      patch: (patch) => {
        firstPatchMs ||= performance.now() - began
        patch.parts.forEach((part, b) => {
          parts[b]?.append(part.bytes)
          bytes += part.bytes.length
          nats -= part.logprob.reduce((a, x) => a + x, 0)
        })
        if (live) process.stdout.write(patch.parts[0]?.bytes ?? "")
      },
    },
  )
  // Before the first patch there is nothing to keep, so that nothing is waited for.
  const interrupted = new Promise<never>((_, reject) => {
    signals.interrupt = () => (bytes ? run.cancel() : reject(new Interrupted("stopped before anything was made")))
  })
  interrupted.catch(() => {})
  const done = await Promise.race([run.result, interrupted])
  if (!bytes && done.reason === "cancelled") throw new Interrupted("stopped before anything was made")
  return { ...done, parts, bytes, bitsPerByte: bytes ? nats / Math.LN2 / bytes : 0, firstPatchMs }
}

/** What was made, where one has a flaw made again with another seed. */
async function withoutFlaws(
  client: EngineClient,
  request: Request,
  { pack, seed, live }: Plan,
  given: Given,
  { parts, reason }: Made,
): Promise<Output<Buffer>[]> {
  const outputs = parts.map((part) => ({ bytes: Buffer.concat([given.bytes, part.view()]), seed }))
  // What stands on the screen already stays.
  if (live || !mayBeRemade(reason, request.sampling)) return outputs
  const again = async (seed: number) => {
    const parts: Uint8Array[] = [given.bytes]
    const patch = (message: { parts: { bytes: Uint8Array }[] }) => {
      for (const part of message.parts) parts.push(part.bytes)
    }
    await client.generate({ ...request, variations: 1, seed }, { patch }).result
    return Buffer.concat(parts)
  }
  const made: Output<Buffer>[] = []
  for (const output of outputs) made.push(await remade(pack, given.bytes.length, output, again, note))
  return made
}

/** Writes the files, one an output. */
async function write(names: string[], outputs: Output<Buffer>[], plan: Plan, given: Given): Promise<void> {
  const { pack, form, enlarge, style, untilEnd, columns, request } = plan
  const { length, sampling } = request
  for (const [b, { bytes, seed }] of outputs.entries()) {
    const settings = { pack: pack.name, length, seed, variations: 1, sampling, style, untilEnd, columns }
    // The part that was given keeps its own samples, finer than the bytes that the model saw.
    const writing = { settings, enlarge, samples: given.samples }
    writeWhole(names[b] as string, form ? await media[pack.modality].write(form, bytes, pack, writing) : bytes)
  }
}

function printJson(made: Made, outputs: Output<Buffer>[], { pack, seed, names, request }: Plan): void {
  const { bytes, bitsPerByte, reason, decodeMs, firstPatchMs } = made
  const results = outputs.map((output, b) => ({
    ...(names ? { file: names[b] } : {}),
    ...(output.seed === seed ? {} : { seed: output.seed }),
    base64: output.bytes.toString("base64"),
  }))
  const speed = { seconds: decodeMs / 1000, bytesPerSecond: (bytes / decodeMs) * 1000, firstPatchMs }
  const told = { pack: pack.name, seed, sampling: request.sampling, bitsPerByte, bytes, reason, ...speed, results }
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

function print(outputs: Output<Buffer>[]): void {
  outputs.forEach(({ bytes }, b) => {
    process.stdout.write(`${b ? "\n" : ""}--- ${b + 1} of ${outputs.length} ---\n${bytes}\n`)
  })
}

/** Says in one line how it went. */
function summarize({ bytes, bitsPerByte, reason, decodeMs, firstPatchMs }: Made, { seed, names }: Plan): void {
  const rate = Math.round((bytes / decodeMs) * 1000)
  note(
    `${bytes} bytes, ${rate} bytes/s, first patch after ${(firstPatchMs / 1000).toFixed(2)} s, ` +
      `${bitsPerByte.toFixed(3)} bits/byte, seed ${seed}${reason === "end" ? ", the model ended the document" : ""}` +
      `${reason === "cancelled" ? ", stopped" : ""}${names ? `, written to ${names.join(", ")}` : ""}`,
  )
}
